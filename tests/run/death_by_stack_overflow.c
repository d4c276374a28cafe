// about: endless recursion ends in SIGSEGV, not in a hang
// signal: SIGSEGV
// > down
#include "check.h"
NOINLINE int down(int n) {
    volatile char frame[1024];
    frame[n % 1024] = n;
    return down(n + 1) + frame[n % 1024];
}
int main(void) {
    puts("down");
    fflush(stdout);
    return down(0);
}
