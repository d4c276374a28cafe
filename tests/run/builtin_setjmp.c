// about: the compiler's own setjmp and longjmp, which save next to nothing
// > jumped 3 times
#include <stdio.h>

static void *buffer[5];
static volatile int jumps;
__attribute__((noinline)) static void jump(void) { __builtin_longjmp(buffer, 1); }
__attribute__((noinline)) static void loop(void) {
    if (__builtin_setjmp(buffer)) jumps++;
    if (jumps < 3) jump();
}
int main(void) {
    loop();
    printf("jumped %d times\n", jumps);
}
