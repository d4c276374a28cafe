// about: a timer's handler first-calls 100 functions while the program allocates and first-calls
// > handler called 100 functions, the program 300, sums 4950 and 44850
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "check.h"
#include "repeat.h"

#define IN_HANDLER(n) NOINLINE static int from_handler##n(int x) { return x + n; }
HUNDRED(IN_HANDLER, 1)
#define HANDLER_ENTRY(n) from_handler##n,
static int (*const in_handler[])(int) = {HUNDRED(HANDLER_ENTRY, 1)};

#define IN_PROGRAM(n) NOINLINE static int from_program##n(int x) { return x + n; }
HUNDRED(IN_PROGRAM, 1) HUNDRED(IN_PROGRAM, 2) HUNDRED(IN_PROGRAM, 3)
#define PROGRAM_ENTRY(n) from_program##n,
static int (*const in_program[])(int) = {
    HUNDRED(PROGRAM_ENTRY, 1) HUNDRED(PROGRAM_ENTRY, 2) HUNDRED(PROGRAM_ENTRY, 3)};

static volatile int called, handler_sum;
static void handler(int number) {
    (void)number;
    if (called == 100) return;
    handler_sum += in_handler[called](0) - 100;
    called++;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);

    int next = 0, sum = 0;
    char *blocks[64] = {0};
    for (unsigned i = 0; next < 300 || called < 100; i++) {
        free(blocks[i % 64]);
        blocks[i % 64] = malloc(16 + i % 4000);
        memset(blocks[i % 64], i, 16);
        if (next < 300 && i % 64 == 0) {
            sum += in_program[next](0) - 100;
            next++;
        }
    }
    printf("handler called %d functions, the program %d, sums %d and %d\n", called, next,
           handler_sum, sum);
}
