// about: thread_local data: initialized, zero, aligned, shared by modules, in every thread
// > ok
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

_Thread_local int initialized = 42;
_Thread_local int zero;
_Thread_local char aligned[64] __attribute__((aligned(64))) = "aligned";
static _Thread_local int local = 7;
static _Thread_local int *pointer_to_data;
static _Thread_local int (*function)(int) = abs;
extern _Thread_local long in_other;
extern _Thread_local char large_in_other[5000];
int next_in_other(void);
int *initialized_in_other(void);
int *local_in_other(void);

static NOINLINE int count(void) {
    static _Thread_local int calls;
    return ++calls;
}

static void check_fresh(void) {
    CHECK(initialized == 42 && zero == 0 && local == 7 && in_other == 1L << 40);
    CHECK(strcmp(aligned, "aligned") == 0 && (uintptr_t)aligned % 64 == 0);
    CHECK(large_in_other[0] == 0 && large_in_other[4999] == 0);
    CHECK(function(-3) == 3);
    CHECK(count() == 1 && count() == 2);
    CHECK(&initialized == initialized_in_other());
    CHECK(&local != local_in_other() && *local_in_other() == 8);
    CHECK(next_in_other() == 1 && next_in_other() == 2);
    zero = local = initialized = 1;
    pointer_to_data = &zero;
    in_other = 5;
    memset(large_in_other, 1, sizeof large_in_other);
    aligned[0] = 'x';
    errno = 5;
}

static pthread_barrier_t barrier;
static void *thread(void *other_address) {
    // Runs before any thread has used a variable of these modules.
    pthread_barrier_wait(&barrier);
    check_fresh();
    CHECK(&zero == pointer_to_data && errno == 5);
    pthread_barrier_wait(&barrier);
    *(int **)other_address = &initialized;
    CHECK(*pointer_to_data == 1);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    int *addresses[4];
    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, thread, &addresses[i]);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    check_fresh();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 4; i++) {
        CHECK(addresses[i] != &initialized);
        for (int j = 0; j < i; j++) CHECK(addresses[i] != addresses[j]);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK(initialized == 1 && errno == 5 && large_in_other[77] == 1);
    puts("ok");
}
