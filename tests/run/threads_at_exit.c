// about: main returns while other threads run, first-call functions and wait; nothing hangs
// exit: 5
// > main returns
#include <pthread.h>
#include <unistd.h>
#include "check.h"
#include "repeat.h"

#define FUNCTION(n) NOINLINE static int f##n(int x) { return x + n; }
THOUSAND(FUNCTION, 1)
#define ENTRY(n) f##n,
static int (*const functions[])(int) = {THOUSAND(ENTRY, 1)};

static pthread_barrier_t started;
static void *first_calls(void *half) {
    pthread_barrier_wait(&started);
    volatile int sum = 0;
    for (long i = (long)half * 500; i < (long)half * 500 + 500; i++) sum += functions[i](0);
    for (;;) sum++;
}
static void *waits(void *argument) {
    pthread_barrier_wait(&started);
    for (;;) pause();
    return argument;
}
int main(void) {
    pthread_t thread;
    pthread_barrier_init(&started, NULL, 4);
    pthread_create(&thread, NULL, first_calls, (void *)0);
    pthread_create(&thread, NULL, first_calls, (void *)1);
    pthread_create(&thread, NULL, waits, NULL);
    pthread_barrier_wait(&started);
    usleep(2000);
    puts("main returns");
    return 5;
}
