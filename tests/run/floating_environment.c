// about: rounding mode, exception flags and x87 control word live across a first call
// cflags: -O0 -frounding-math
// cflags: -O2 -frounding-math
// > ok
#include <fenv.h>
#include <float.h>
#include "check.h"

NOINLINE static double third_up(double x) { return x / 3; }
NOINLINE static double third_down(double x) { return x / 3; }
NOINLINE static double third_nearest(double x) { return x / 3; }
NOINLINE static long double wide_third(long double x) { return x / 3; }
NOINLINE static int flags(void) { return fetestexcept(FE_ALL_EXCEPT); }
NOINLINE static int after_divide(void) { return fetestexcept(FE_DIVBYZERO); }
NOINLINE static unsigned mxcsr(void) {
    unsigned word;
    __asm__ volatile("stmxcsr %0" : "=m"(word));
    return word;
}
static void set_mxcsr(unsigned word) { __asm__ volatile("ldmxcsr %0" : : "m"(word)); }
NOINLINE static unsigned short control(void) {
    unsigned short word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}
static void set_control(unsigned short word) { __asm__ volatile("fldcw %0" : : "m"(word)); }

// A constant that only correct rounding in the compiler makes right.
NOINLINE static double folded(void) { return 0.1 + 0.2; }

int main(void) {
    CHECK(fetestexcept(FE_ALL_EXCEPT) == 0);
    volatile double one = 1;
    fesetround(FE_UPWARD);
    double up = third_up(one);
    CHECK(fegetround() == FE_UPWARD);
    fesetround(FE_DOWNWARD);
    double down = third_down(one);
    CHECK(fegetround() == FE_DOWNWARD);
    double constant = folded();
    fesetround(FE_TONEAREST);
    double nearest = third_nearest(one);
    CHECK(up > down && (nearest == up || nearest == down));
    CHECK(constant == 0x1.3333333333333p-2 || constant == 0x1.3333333333334p-2);

    feclearexcept(FE_ALL_EXCEPT);
    CHECK(flags() == 0);
    volatile double zero = 0, infinite = one / zero;
    CHECK(after_divide() == FE_DIVBYZERO);
    CHECK(infinite > DBL_MAX);
    feclearexcept(FE_ALL_EXCEPT);

    // Single precision, as some old numerics want it.
    unsigned short normal = control(), narrow = normal & ~0x300;
    set_control(narrow);
    volatile long double narrow_third = wide_third(1);
    CHECK(control() == narrow);
    set_control(normal);
    CHECK(narrow_third == (long double)(1.0f / 3.0f));

    // Flush denormals to zero; the compiler must not run like that.
    unsigned before = mxcsr();
    set_mxcsr(before | 0x8040);
    CHECK(mxcsr() == (before | 0x8040));
    set_mxcsr(before);
    puts("ok");
}
