// about: the entry function is written in assembly that does not say it is a function
// exit: 6
// > called by assembly
#include <stdio.h>
int finish(void) { return puts("called by assembly") < 0 ? 1 : 6; }
