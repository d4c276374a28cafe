#include <stdio.h>
int a_again(int depth);
int c(int depth) {
    printf("c(%d) ", depth);
    return a_again(depth + 1);
}
