// about: setjmp and longjmp over lazily compiled frames, again and again, and out of callbacks
// > through 100 frames: 1
// > loop of 1000: 499500
// > out of qsort 2
// > volatile kept 6
// > nested inner 1 outer 2
// > sigsetjmp kept the mask 1
// > out of a handler 3
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include "check.h"

static jmp_buf buffer, outer, inner;
static NOINLINE void down(int n) {
    volatile char frame[32] = {0};
    if (n == 0) longjmp(buffer, 1);
    down(n - 1);
    frame[0]++;
}
static NOINLINE void jump(int value) { longjmp(buffer, value); }
static int compare_jumps(const void *a, const void *b) {
    (void)a, (void)b;
    longjmp(buffer, 2);
}
static NOINLINE void nested(void) {
    if (setjmp(inner) == 0) longjmp(inner, 1);
    printf("nested inner 1");
    longjmp(outer, 2);
}
static sigjmp_buf from_handler;
static void handler(int number) {
    (void)number;
    siglongjmp(from_handler, 3);
}

int main(void) {
    if (setjmp(buffer) == 0) down(100);
    else printf("through 100 frames: 1\n");

    volatile int sum = 0;
    for (volatile int i = 0; i < 1000; i++) {
        int value = setjmp(buffer);
        if (value == 0) jump(i + 1);
        sum += value - 1;
    }
    printf("loop of 1000: %d\n", sum);

    int numbers[] = {3, 1, 2};
    int value = setjmp(buffer);
    if (value == 0) qsort(numbers, 3, sizeof *numbers, compare_jumps);
    printf("out of qsort %d\n", value);

    volatile int kept = 5;
    if (setjmp(buffer) == 0) {
        kept = 6;
        jump(1);
    }
    printf("volatile kept %d\n", kept);

    value = setjmp(outer);
    if (value == 0) nested();
    printf(" outer %d\n", value);

    signal(SIGUSR1, handler);
    value = sigsetjmp(from_handler, 1);
    if (value == 0) raise(SIGUSR1);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    printf("sigsetjmp kept the mask %d\n", !sigismember(&mask, SIGUSR1));
    printf("out of a handler %d\n", value);
}
