// about: a blocked signal waits for the program, whatever threads there are beside its own
// > pending 1, waited for 1, handled 0
// > handled by the thread that has it open 1
// > from a queue 1 2 3
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "check.h"

static volatile int handled;
static volatile pid_t handler_thread;
static void handler(int number) {
    (void)number;
    handled++;
    handler_thread = gettid();
}
NOINLINE static int first_call_between(int x) { return x + 1; }

int main(void) {
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    signal(SIGUSR1, handler);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    // Time for another thread to take it.
    usleep(10000 * first_call_between(0));
    sigpending(&pending);
    int number, is_pending = sigismember(&pending, SIGUSR1);
    sigwait(&set, &number);
    printf("pending %d, waited for %d, handled %d\n", is_pending, number == SIGUSR1, handled);

    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), SIGUSR1);
    printf("handled by the thread that has it open %d\n",
           handled == 1 && handler_thread == gettid());

    for (int i = 1; i <= 3; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
    printf("from a queue");
    for (int i = 1; i <= 3; i++) {
        siginfo_t info;
        sigwaitinfo(&set, &info);
        printf(" %d", info.si_value.sival_int);
    }
    printf("\n");
}
