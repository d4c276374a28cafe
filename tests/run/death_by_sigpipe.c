// about: SIGPIPE has its default action, as in a native process, and so has every other signal
// signal: SIGPIPE
// > all default, none blocked
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int strange = 0;
    for (int number = 1; number < 32; number++) {
        // Shells have these ignored by what runs in the background.
        if (number == SIGINT || number == SIGQUIT) continue;
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL) strange = number;
    }
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < 64; number++)
        if (sigismember(&mask, number) == 1) strange = number;
    if (strange) printf("signal %d\n", strange);
    else puts("all default, none blocked");
    fflush(stdout);
    int ends[2];
    if (pipe(ends)) return 1;
    close(ends[0]);
    return write(ends[1], "x", 1) == 1 ? 2 : 3;
}
