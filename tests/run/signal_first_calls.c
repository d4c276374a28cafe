// about: first calls in signal handlers: raised, on an alternate stack, from a fault
// > handler 1 called 11
// > siginfo: value 7, caller 1
// > on the alternate stack 1, called 13
// > deeper 14
// > recovered from SIGSEGV at 16
// > recovered from SIGFPE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

NOINLINE static int first(int x) { return x + 1; }
NOINLINE static int second(int x) { return first(x) + 1; }
NOINLINE static int third(int x) { return second(x) + 1; }
NOINLINE static int fourth(int x) { return third(x) + 1; }

static volatile int result, on_stack, value, same_process;
static char *alternate;
static sigjmp_buf recovery;
static void *volatile fault;

static void simple(int number) { result = first(number == SIGUSR1 ? 10 : 0); }
static void detailed(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    value = info->si_value.sival_int;
    same_process = info->si_pid == getpid();
}
static void on_alternate(int number) {
    char here;
    on_stack = &here >= alternate && &here < alternate + SIGSTKSZ;
    result = second(number == SIGUSR2 ? 11 : 0);
}
static void recover(int number, siginfo_t *info, void *context) {
    (void)context;
    fault = info->si_addr;
    siglongjmp(recovery, third(number));
}
static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    sigaction(number, &action, NULL);
}

int main(void) {
    signal(SIGUSR1, simple);
    raise(SIGUSR1);
    printf("handler 1 called %d\n", result);

    install(SIGRTMIN, detailed, 0);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7});
    printf("siginfo: value %d, caller %d\n", value, same_process);

    alternate = malloc(SIGSTKSZ);
    stack_t stack = {.ss_sp = alternate, .ss_size = SIGSTKSZ};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_alternate, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    printf("on the alternate stack %d, called %d\n", on_stack, result);
    printf("deeper %d\n", fourth(10));

    install(SIGSEGV, recover, SA_ONSTACK);
    if (sigsetjmp(recovery, 1) == 0) *(volatile int *)16 = 1;
    printf("recovered from SIGSEGV at %ld\n", (long)fault);
    install(SIGFPE, recover, 0);
    volatile int zero = 0;
    // An instruction that faults, whatever the compiler thinks of a division by zero.
    if (sigsetjmp(recovery, 1) == 0)
        __asm__ volatile("xorl %%edx, %%edx\n\tidivl %0" : : "m"(zero) : "eax", "edx", "cc");
    else printf("recovered from SIGFPE\n");
}
