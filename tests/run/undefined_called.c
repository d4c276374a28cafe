// about: a call of a function that nobody defines ends the program, after what it printed before
// native: no, a linker wants all symbols
// exit: 127
// stderr: nobody_defines_this
// > printed before
#include <stdio.h>
int nobody_defines_this(int x);
int main(void) {
    printf("printed before\n");
    int result = nobody_defines_this(3);
    printf("not reached %d\n", result);
}
