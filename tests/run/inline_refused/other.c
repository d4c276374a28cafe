#include <setjmp.h>
#include <stdarg.h>
__attribute__((weak)) int weak(void) { return 1; }
__attribute__((weak)) int replaced(void) { return 2; }
__attribute__((noinline)) int noinline_function(int x) { return x + 2; }
__attribute__((optnone, noinline)) int optnone_function(int x) { return x + 3; }
int total(int count, ...) {
    va_list arguments;
    va_start(arguments, count);
    int total = 0;
    for (int i = 0; i < count; i++) total += va_arg(arguments, int);
    va_end(arguments);
    return total;
}
int jumps(int x) {
    jmp_buf buffer;
    if (setjmp(buffer)) return x + 6;
    longjmp(buffer, 1);
}
int labels(int x) {
    void *targets[] = {&&zero, &&one};
    goto *targets[x & 1];
zero:
    return 0;
one:
    return 8;
}
__attribute__((naked)) int naked(void) { __asm__("movl $9, %eax\n\tret"); }
#define STEP(k) \
    if (k < count) { total += numbers[k] * 3; total ^= numbers[(k + 1) % 100] << 2; total ^= numbers[(k + 1) % 100] << 2; total -= numbers[k] * 2; }
#define TEN(k) STEP(k) STEP(k + 1) STEP(k + 2) STEP(k + 3) STEP(k + 4) STEP(k + 5) STEP(k + 6) STEP(k + 7) STEP(k + 8) STEP(k + 9)
int large(int count, const int *volatile source) {
    const int *numbers = source;
    int total = 0;
    TEN(0) TEN(10) TEN(20) TEN(30) TEN(40) TEN(50) TEN(60) TEN(70) TEN(80) TEN(90)
    return total;
}
