// about: children made by _Fork, clone and syscall make first calls, and share nothing with their parent
// > _Fork: child 11, parent 1
// > clone: child 12, parent 1
// > clone's system call: child 13, parent 1
// > fork's system call: child 14, parent 1
// > clone3's system call: child 15, parent 1
// > a clone that shares: child 16, parent 17
// > handlers called: 0
#define _GNU_SOURCE
#include <pthread.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

pid_t _Fork(void);

static int state = 1, handled;
static void handler(void) { handled++; }
// First called in each of the children.
NOINLINE static int first_of_fork(int x) { return state += x; }
NOINLINE static int first_of_clone(int x) { return state += x; }
NOINLINE static int first_of_call(int x) { return state += x; }
NOINLINE static int first_of_fork_call(int x) { return state += x; }
NOINLINE static int first_of_third_call(int x) { return state += x; }
NOINLINE static int first_of_sharing(int x) { return (state += x) - 1; }

static int run(void *argument) { return first_of_clone(*(int *)argument); }
static int run_sharing(void *argument) { return first_of_sharing(*(int *)argument); }

static void report(const char *what, pid_t child) {
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    printf("%s: child %d, parent %d\n", what, WEXITSTATUS(status), state);
    fflush(stdout);
}

int main(void) {
    static char stack[1 << 16] __attribute__((aligned(16)));
    pthread_atfork(handler, handler, handler);
    pid_t child = _Fork();
    if (child == 0) _exit(first_of_fork(10));
    report("_Fork", child);

    int argument = 11;
    report("clone", clone(run, stack + sizeof stack, SIGCHLD, &argument));

    child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(first_of_call(12));
    report("clone's system call", child);

    child = syscall(SYS_fork);
    if (child == 0) _exit(first_of_fork_call(13));
    report("fork's system call", child);

    struct clone_args asked = {.exit_signal = SIGCHLD};
    child = syscall(SYS_clone3, &asked, sizeof asked);
    if (child == 0) _exit(first_of_third_call(14));
    report("clone3's system call", child);

    argument = 16;
    report("a clone that shares", clone(run_sharing, stack + sizeof stack, CLONE_VM | SIGCHLD, &argument));
    printf("handlers called: %d\n", handled);
}
