// about: --entry runs another function; main is like any other then
// run: --entry start
// native: no
// args: x
// exit: 9
// > start 2 calls main 3
#include <stdio.h>
int main(void) { return 3; }
int start(int argc, char **argv) {
    printf("start %d calls main %d\n", argc, argv[1][0] == 'x' ? main() : 0);
    return 9;
}
