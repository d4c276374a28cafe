// about: calls through other types than the definition's, as old C programs make them
// > 7 12 3
#include "check.h"
NOINLINE int two(int a, int b) { return a + b; }
NOINLINE int three(int a, int b, int c) { return a + b + c; }
int main(void) {
    int (*unprototyped)() = (int (*)())two;
    int (*fewer)(int) = (int (*)(int))(void *)abs;
    int (*variadic)(int, ...) = (int (*)(int, ...))(void *)three;
    printf("%d %d %d\n", unprototyped(3, 4), variadic(3, 4, 5), fewer(-3));
}
