// about: a shared library that needs thread-local variables of the program
// shared: lib.c
// objects: object.c
// cflags: -O0 -fPIC
// cflags: -O2
// ldflags: -pthread -rdynamic
// > at start 10
// > thread 13 17, main 15 11
#include "check.h"
#include <pthread.h>

extern int at_start;
extern _Thread_local int in_object;
int library_counts(int by);
int *library_alias(void);
char *library_aligned(void);
int *object_address(void);
_Thread_local int counter = 10;
extern _Thread_local int alias __attribute__((alias("counter")));
_Thread_local _Alignas(64) char aligned[100];
static _Thread_local int own = 7;

static void *thread(void *unused) {
    (void)unused;
    CHECK(*object_address() == 3 && &in_object == object_address());
    counter += 1;
    own += library_counts(2) - 3;
    CHECK(library_alias() == &counter && library_aligned() == &aligned[99]);
    return (void *)(long)(counter * 100 + own);
}

int main(void) {
    printf("at start %d\n", at_start);
    counter += 1;
    library_counts(3);
    CHECK(library_alias() == &counter && &alias == &counter);
    CHECK(library_aligned() == &aligned[99] && (unsigned long)aligned % 64 == 0);
    library_counts(1);
    in_object = 9;
    pthread_t id;
    void *sum;
    pthread_create(&id, 0, thread, 0);
    pthread_join(id, &sum);
    CHECK(*object_address() == 9);
    printf("thread %d %d, main %d %d\n", (int)(long)sum / 100, (int)(long)sum % 100, counter, own + 4);
}
