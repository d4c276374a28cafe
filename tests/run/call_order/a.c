#include <stdio.h>
int b(int depth);
int a_again(int depth) {
    printf("back in a(%d)\n", depth);
    return depth;
}
int a(int depth) {
    printf("a(%d) ", depth);
    return b(depth + 1);
}
