#include <signal.h>
#include <stddef.h>

static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// Such runtimes report an overflow of the stack unless somebody else wants to know.
int handled_already(void) {
    int count = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old;
        sigaction(numbers[i], NULL, &old);
        count += old.sa_handler != SIG_DFL;
    }
    return count;
}

int handled_before(int number, void (*handler)(int)) { return signal(number, handler) != SIG_DFL; }
