// about: calls between modules whose order on the command line is not the order of need
// modules: c.c main.c b.c a.c
// > main a(1) b(2) c(3) back in a(4)
// > 4
#include "check.h"

int a(int depth);
int main(void) {
    printf("main ");
    int depth = a(1);
    printf("%d\n", depth);
    return 0;
}
