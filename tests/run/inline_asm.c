// about: inline assembly: constraints, memory, clobbers, local labels, asm goto, a call in asm
// > ok
#include "check.h"

NOINLINE unsigned long add_carry(unsigned long a, unsigned long b, unsigned char *carry) {
    __asm__("addq %2, %0\n\tsetc %1" : "+r"(a), "=qm"(*carry) : "r"(b) : "cc");
    return a;
}
NOINLINE void divide(unsigned long a, unsigned long b, unsigned long *quotient,
                     unsigned long *rest) {
    __asm__("divq %4" : "=a"(*quotient), "=d"(*rest) : "a"(a), "d"(0UL), "r"(b) : "cc");
}
NOINLINE int count_down(int n) {
    int steps = 0;
    __asm__("1: incl %0\n\tdecl %1\n\tjnz 1b" : "+r"(steps), "+r"(n) : : "cc");
    return steps;
}
NOINLINE int is_zero(int x) {
    __asm__ goto("testl %0, %0\n\tjz %l[zero]" : : "r"(x) : "cc" : zero);
    return 0;
zero:
    return 1;
}
static int data = 5;
NOINLINE int load_data(void) {
    int value;
    __asm__("movl %1, %0" : "=r"(value) : "m"(data));
    return value;
}
__attribute__((used)) int callee(int x) { return x * 2; }
// A first call that the compiler does not see as one.
NOINLINE int call_in_asm(int x) {
    int result;
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "subq $128, %%rsp\n\t"
                     "andq $-16, %%rsp\n\t"
                     "movl %1, %%edi\n\t"
                     "call callee@PLT\n\t"
                     "movq %%rbx, %%rsp"
                     : "=a"(result) : "r"(x)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
    return result;
}
NOINLINE int uses_symbol(void) {
    int (*pointer)(int);
    __asm__("movq callee@GOTPCREL(%%rip), %0" : "=r"(pointer));
    return pointer == callee && pointer(4) == 8;
}
NOINLINE float root(float x) {
    __asm__("sqrtss %1, %0" : "=x"(x) : "x"(x));
    return x;
}

int main(void) {
    unsigned char carry;
    CHECK(add_carry(~0UL, 2, &carry) == 1 && carry == 1);
    CHECK(add_carry(1, 2, &carry) == 3 && carry == 0);
    unsigned long quotient, rest;
    divide(100, 7, &quotient, &rest);
    CHECK(quotient == 14 && rest == 2);
    CHECK(count_down(12) == 12);
    CHECK(is_zero(0) == 1 && is_zero(3) == 0);
    CHECK(load_data() == 5);
    data = 6;
    CHECK(load_data() == 6);
    CHECK(call_in_asm(21) == 42);
    CHECK(uses_symbol());
    CHECK(root(16) == 4);
    puts("ok");
}
