// about: a function with many values that live for a while, on the stack 5,000 times
// cflags: -O1
// cflags: -O2
// > 5000 frames deep
#include "check.h"
#include "repeat.h"

static volatile int zero;
static NOINLINE int nothing(int x) { return x & zero; }
#define CASE(n)                                                                                    \
    case n: {                                                                                      \
        int a = x * (n + 3) + y, b = a ^ (x << 2), c = b + nothing(a);                             \
        if (c > 17) {                                                                              \
            y += nothing(b) + a;                                                                   \
        } else {                                                                                   \
            y -= b * c;                                                                            \
            while (y > 1000) y = y / 3 - nothing(c) + b;                                           \
        }                                                                                          \
        y += a + b * c;                                                                            \
        break;                                                                                     \
    }

static NOINLINE int interpret(int depth) {
    int x = depth, y = zero;
    switch (depth % 100 + 100) { HUNDRED(CASE, 1) }
    return depth > 1 ? interpret(depth - 1) + 1 + nothing(y) : 1;
}
int main(void) { printf("%d frames deep\n", interpret(5000)); }
