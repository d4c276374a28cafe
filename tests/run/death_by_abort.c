// about: abort, with the handler that comes first, and an assertion's message
// signal: SIGABRT
// stderr: Assertion `1 == 2' failed
// > handler saw 6
#undef NDEBUG
#include <assert.h>
#include <signal.h>
#include <stdio.h>
static void handler(int number) {
    printf("handler saw %d\n", number);
    fflush(stdout);
}
int main(void) {
    signal(SIGABRT, handler);
    assert(1 == 2);
    return 0;
}
