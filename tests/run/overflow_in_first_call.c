// about: a program recovers from a stack that overflows in a first call, however much was left of it
// > all went on
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "check.h"

static sigjmp_buf outside;
static ucontext_t here, there;

static void overflowed(int number) { siglongjmp(outside, number); }
NOINLINE static void first(void) { swapcontext(&there, &here); }
NOINLINE static int later(int x) { return x + 1; }

static int exit_code(pid_t child) {
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// In a process of its own, in which the function was not called yet. Afterwards there are more first calls
// and processes.
static int survives(size_t left) {
    pid_t child = fork(), grandchild;
    if (child) return exit_code(child) == 1;
    alarm(10);
    size_t page = sysconf(_SC_PAGESIZE), large = 64 << 10;
    char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory, page, PROT_NONE);
    stack_t other = {.ss_sp = malloc(large), .ss_size = large};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_handler = overflowed, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    if (!sigsetjmp(outside, 1)) {
        getcontext(&there);
        there.uc_stack.ss_sp = memory + page;
        there.uc_stack.ss_size = left;
        makecontext(&there, first, 0);
        swapcontext(&here, &there);
    }
    if (!(grandchild = fork())) _exit(later(0));
    _exit(exit_code(grandchild));
}

int main(void) {
    int bad = 0;
    for (size_t left = 256; left <= 8192; left += 128)
        if (!survives(left)) printf("not with %zu bytes\n", left), bad = 1;
    if (!bad) puts("all went on");
}
