#include <stdio.h>
int c(int depth);
int b(int depth) {
    printf("b(%d) ", depth);
    return c(depth + 1);
}
