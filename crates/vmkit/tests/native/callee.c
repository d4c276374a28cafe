// What caller.c calls and names.
struct large { long word[6]; };

int variable = 40;
_Thread_local long shared = 7;
long even(long n);

struct large large(long first) {
    struct large l;
    for (int i = 0; i < 6; i++) l.word[i] = first + i;
    return l;
}

double many(long a, long b, long c, long d, long e, long f, long g, long h, long i, double j,
            double k, double l, double m, double n, double o, double p, double q, double r) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + j + 2 * k + 3 * l +
           4 * m + 5 * n + 6 * o + 7 * p + 8 * q + 9 * r;
}

long odd(long n) { return n == 0 ? 0 : even(n - 1); }

#ifdef __aarch64__
#include <arm_sve.h>
__attribute__((target("sve"))) long lanes(svint64_t numbers, long base) {
    return svaddv_s64(svptrue_b64(), numbers) + base;
}
#endif
