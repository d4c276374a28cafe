// about: the names that linkers give to the edges of a program
// > ok
#include <elf.h>
#include <string.h>
#include "check.h"

extern char __executable_start[], etext[], _etext[], __etext[], edata[], _edata[], end[], _end[];
extern char __data_start[], data_start[], __bss_start[];
extern const Elf64_Ehdr __ehdr_start __attribute__((weak, visibility("hidden")));

int zero, one = 1;
int *pointer = &one;

// Is it a place in the program's data?
static int is_data(void *place) { return (char *)place >= data_start && (char *)place < end; }

int main(void) {
    char *code = (char *)(long)main;
    CHECK(__executable_start <= code && code < etext);
    CHECK(etext == _etext && etext == __etext && edata == _edata && end == _end);
    CHECK(etext <= data_start && data_start == __data_start);
    CHECK(data_start <= edata && edata <= __bss_start && __bss_start <= end);
    CHECK(is_data(&zero) && is_data(&one) && is_data(&pointer));
    CHECK((char *)pointer < edata);
    char local;
    CHECK(!is_data(&local) && !is_data(code));
    CHECK(&__ehdr_start && memcmp(__ehdr_start.e_ident, ELFMAG, SELFMAG) == 0);
    CHECK(__ehdr_start.e_phentsize == sizeof(Elf64_Phdr));
    puts("ok");
}
