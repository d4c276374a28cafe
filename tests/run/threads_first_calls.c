// about: eight threads first-call the same function, and different ones, at the same moment
// stat: functions_compiled <= 90
// > ok
#include <pthread.h>
#include "check.h"
#include "repeat.h"

enum { THREADS = 8 };

static int shared_calls;
NOINLINE int shared(int x) { return __atomic_add_fetch(&shared_calls, x, __ATOMIC_RELAXED); }

// Ten functions for each thread.
#define ALL(m)                                                                                     \
    TEN(m, 10) TEN(m, 11) TEN(m, 12) TEN(m, 13) TEN(m, 14) TEN(m, 15) TEN(m, 16) TEN(m, 17)
#define FUNCTION(n) NOINLINE static int own##n(int x) { return x + n; }
ALL(FUNCTION)
#define ENTRY(n) own##n,
static int (*const own[THREADS * 10])(int) = {ALL(ENTRY)};

static pthread_barrier_t barrier;
static void *run(void *number) {
    long t = (long)number;
    pthread_barrier_wait(&barrier);
    shared(1);
    for (int n = 0; n < 10; n++) {
        int mine = t * 10 + n, other = (mine + 10) % (THREADS * 10);
        CHECK(own[mine](1) == 101 + mine);
        // The next thread's function, which that thread may be waiting for.
        CHECK(own[other](1) == 101 + other);
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 1000; i++) shared(1);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, run, (void *)t);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    CHECK(shared_calls == THREADS * 1001);
    puts("ok");
}
