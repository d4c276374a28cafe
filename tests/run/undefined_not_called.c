// about: a function that nobody defines is no error as long as nobody calls it
// native: no, a linker wants all symbols
// > ran to its end
#include <stdio.h>
int nobody_defines_this(int x);
extern int nobodys_data;
__attribute__((noinline)) static int uses_both(void) { return nobody_defines_this(nobodys_data); }
int (*volatile pointer)(int) = nobody_defines_this;
int main(int argc, char **argv) {
    if (argc > 5) return uses_both();
    if (argc > 6) return nobody_defines_this(3);
    puts(pointer ? "ran to its end" : "null");
}
