// about: .symver names one of several versions of a libc function; other names by asm labels
// > old memcpy copied
// > renamed strlen 4, own function under another name 8
#include <stddef.h>
#include <stdio.h>

__asm__(".symver old_memcpy, memcpy@GLIBC_2.2.5");
void *old_memcpy(void *to, const void *from, size_t size);
size_t length(const char *text) __asm__("strlen");
int declared(int x) __asm__("actual_name");
int actual_name(int x);
int declared(int x) { return x * 2; }

int main(void) {
    char text[8];
    old_memcpy(text, "copied", 7);
    printf("old memcpy %s\n", text);
    printf("renamed strlen %zu, own function under another name %d\n", length("four"),
           actual_name(4));
}
