// about: numeric labels in the inline assembly of one function after the other
// > 0 3 7 9 13 16 20
#include "check.h"

#define COUNT(name, start)                                                                         \
    NOINLINE static int name(int steps) {                                                          \
        int sum = start;                                                                           \
        __asm__("1: addl $2, %0\n\tdecl %1\n\tjz 2f\n\tjmp 1b\n2: decl %0"                          \
                : "+r"(sum), "+r"(steps)                                                           \
                :                                                                                  \
                : "cc");                                                                           \
        return sum;                                                                                \
    }
COUNT(a, -1)
COUNT(b, 0)
COUNT(c, 2)
COUNT(d, 2)
COUNT(e, 4)
COUNT(f, 5)
COUNT(g, 7)

int main(void) {
    printf("%d %d %d %d %d %d %d\n", a(1), b(2), c(3), d(4), e(5), f(6), g(7));
}
