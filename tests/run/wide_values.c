// about: __int128, long double, _Complex and _Float16-sized values through a first call
// > ok
#include <complex.h>
#include "check.h"

typedef __int128 i128;

NOINLINE i128 ints(i128 a, i128 b, i128 c, i128 on_stack) {
    return a * 3 + b * 5 + c * 7 + on_stack;
}
// One register is left when the pair is due; both halves go to the stack.
NOINLINE i128 split(long a, long b, long c, long d, long e, i128 pair, long f) {
    return pair + a + b + c + d + e + f;
}
NOINLINE long double wide(long double a, double b, long double c, float d) {
    return a + b * 2 + c * 4 + d * 8;
}
NOINLINE _Complex float complex_float(_Complex float a, float b) { return a * b; }
NOINLINE _Complex double complex_double(_Complex double a, _Complex double b) { return a * b; }
NOINLINE _Complex long double complex_wide(_Complex long double a, _Complex long double b) {
    return a + b;
}
NOINLINE _Bool narrow(signed char a, unsigned char b, short c, unsigned short d, _Bool e) {
    return a == -1 && b == 255 && c == -2 && d == 65534 && e;
}
#ifdef __FLT16_MAX__
NOINLINE _Float16 half(_Float16 a, _Float16 b) { return a + b; }
#endif
enum small { RED = 1, BLUE = -1 };
NOINLINE enum small other(enum small e) { return -e; }
typedef _BitInt(100) i100;
NOINLINE i100 odd_width(i100 a, i100 b) { return a * b; }

int main(void) {
    i128 big = ((i128)0x0123456789abcdef << 64) | 0xfedcba9876543210;
    CHECK(ints(big, 1, 2, 3) == big * 3 + 22);
    CHECK(split(1, 2, 3, 4, 5, big, 6) == big + 21);
    CHECK(wide(1, 2, 3, 4) == 1 + 4 + 12 + 32);
    CHECK(complex_float(1 + 2 * I, 3) == 3 + 6 * I);
    CHECK(complex_double(1 + 2 * I, 3 + 4 * I) == -5 + 10 * I);
    CHECK(complex_wide(1 + 2 * I, 3 + 4 * I) == 4 + 6 * I);
    CHECK(narrow(-1, 255, -2, 65534, 1));
#ifdef __FLT16_MAX__
    CHECK((float)half(1.5, 2) == 3.5f);
#endif
    CHECK(other(RED) == BLUE);
    CHECK(odd_width((i100)1 << 50, (i100)1 << 40) == (i100)1 << 90);
    puts("ok");
}
