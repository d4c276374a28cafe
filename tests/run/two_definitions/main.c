// about: two strong definitions are refused before anything runs, and both modules are named
// native: no, a linker refuses them
// exit: 2
// stderr: twice
// stderr: first.
// stderr: second.
#include <stdio.h>
int twice(void);
int main(void) { return printf("not reached %d\n", twice()); }
