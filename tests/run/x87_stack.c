// about: values that stay on the x87 stack, and long double results, across first calls
// > ok
#include <math.h>
#include "check.h"

NOINLINE static long double one_more(long double x) { return x + 1; }
NOINLINE static long double two_more(long double x) { return one_more(x) + 1; }
NOINLINE static void nothing(void) {}
NOINLINE static _Complex long double pair(long double re, long double im) {
    return __builtin_complex(re, im);
}
// The first call is made with five values on the x87 stack, which no C function would leave there.
NOINLINE static int through_stack(void) {
    int sum;
    __asm__ volatile("fld1\n\tfldz\n\tfldpi\n\tfld1\n\tfldl2e\n\t"
                     "movq %%rsp, %%rbx\n\tsubq $128, %%rsp\n\tandq $-16, %%rsp\n\t"
                     "call *%1\n\t"
                     "movq %%rbx, %%rsp\n\t"
                     "fstp %%st(0)\n\tfaddp\n\tfaddp\n\tfaddp\n\tfistpl %0"
                     : "=m"(sum) : "r"(nothing)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    return sum;
}
int main(void) {
    CHECK(two_more(1.25L) == 3.25L);
    CHECK(__real__ pair(1, 2) == 1 && __imag__ pair(3, 4) == 4);
    CHECK(through_stack() == 5);
    CHECK(one_more(one_more(0)) == 2);
    puts("ok");
}
