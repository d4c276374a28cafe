#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
static char large[40 << 20];
char large_initialized[20 << 20] = {1};

void object_writes(const char *text) { fputs(text, stdout); }
int object_sets_option(int value) { return optind = value; }
char **object_environment(void) { return environ; }
int object_large(int x) {
    large[x * 10000000] = (char)x;
    return large[x * 10000000] * large_initialized[0] + large[5];
}
int object_processor(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse2") != 0;
}
int object_header(void) { return memcmp(__ehdr_start.e_ident, ELFMAG, SELFMAG) == 0; }
