// about: functions of the compiler's runtime library: 128 bits, quad floats, complex, half, powers
// > 33333333333333333333 1
// > -12345678901 -5
// > quad 0.5 1
// > complex -5 10, 2.0 -0.4
// > half 1.5
// > power 1024 0.125
// > float to wide 1180591620717411303424 / 1152921504606846976 = 1024
// > overflow 1 0, bits 64
#include <complex.h>
#include "check.h"

typedef __int128 i128;
typedef unsigned __int128 u128;
NOINLINE static u128 divide(u128 a, u128 b) { return a / b; }
NOINLINE static u128 modulo(u128 a, u128 b) { return a % b; }
NOINLINE static i128 divide_signed(i128 a, i128 b) { return a / b; }
NOINLINE static i128 modulo_signed(i128 a, i128 b) { return a % b; }
NOINLINE static __float128 quad(__float128 a, __float128 b) { return a / b; }
NOINLINE static _Complex double times(_Complex double a, _Complex double b) { return a * b; }
NOINLINE static _Complex double over(_Complex double a, _Complex double b) { return a / b; }
NOINLINE static double power(double x, int n) { return __builtin_powi(x, n); }
NOINLINE static u128 to_wide(double x) { return (u128)x; }
NOINLINE static int overflows(i128 a, i128 b) { return __builtin_mul_overflow(a, b, &a); }
NOINLINE static int bits(unsigned long x) { return __builtin_popcountl(x); }
NOINLINE static float widen(_Float16 x) { return x; }
NOINLINE static _Float16 narrow(float x) { return x; }

// printf has no conversion for 128 bits.
static const char *decimal(u128 x) {
    static char text[40];
    char *at = text + sizeof text - 1;
    do *--at = '0' + (int)(x % 10);
    while (x /= 10);
    return at;
}

int main(void) {
    u128 hundred = (u128)10000000000 * 10000000000;
    printf("%s ", decimal(divide(hundred, 3)));
    printf("%s\n", decimal(modulo(hundred, 3)));
    printf("%ld %ld\n", (long)divide_signed((i128)-123456789012345 * 1000, 10000000),
           (long)modulo_signed(-15, 10));
    printf("quad %g %d\n", (double)quad(1, 2), quad(1, 3) * 3 == 1);
    _Complex double product = times(1 + 2 * I, 3 + 4 * I), quotient = over(5 + 4 * I, 2 + 2.5 * I);
    printf("complex %g %g, %.1f %.1f\n", creal(product), cimag(product), creal(quotient),
           cimag(quotient));
    printf("half %g\n", widen(narrow(1.5f)));
    printf("power %g %g\n", power(2, 10), power(2, -3));
    u128 wide = to_wide(1180591620717411303424.0);
    printf("float to wide %s", decimal(wide));
    printf(" / 1152921504606846976 = %s\n", decimal(wide >> 60));
    printf("overflow %d %d, bits %d\n", overflows((i128)1 << 100, 1 << 30), overflows(3, 4),
           bits(-1));
}
