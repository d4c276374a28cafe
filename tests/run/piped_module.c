// about: the module comes on standard input; the program finds it at its end
// pipe: yes
// native: no, its standard input is not the module
// > main, end of input 1
#include <stdio.h>
int main(void) { printf("main, end of input %d\n", getchar() == EOF); }
