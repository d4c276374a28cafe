// about: indirect calls of code that checks the types of functions (-fsanitize=kcfi)
// cflags: -fsanitize=kcfi
// > 3 5 7 9
#include "check.h"

NOINLINE static int own(int x) { return x + 1; }
NOINLINE int shared(int x) { return x + 2; }
int (*volatile first)(int) = own, (*volatile second)(int) = shared;
NOINLINE static void *labels(int (*function)(int), int *x) {
    static void *const places[] = {&&once, &&twice};
    goto *places[*x & 1];
once:
    *x = function(*x);
twice:
    *x = function(*x);
    return places[0];
}

int main(void) {
    int x = 5, y = 7;
    labels(first, &x);
    labels(second, &y);
    printf("%d %d %d %d\n", first(2), second(3), x + 1, y);
    return 0;
}
