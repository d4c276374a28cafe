// about: a thread has the stack that it was asked to have, not a larger one left over from vmkit
// > ok
#define _GNU_SOURCE
#include <pthread.h>
#include "check.h"

#define SIZE (256 << 10)

static void *run(void *argument) {
    pthread_attr_t attributes;
    size_t size = 0;
    CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
    CHECK(pthread_attr_getstacksize(&attributes, &size) == 0 && size == SIZE);
    return argument;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, SIZE) == 0);
    CHECK(pthread_create(&thread, &attributes, run, 0) == 0);
    CHECK(pthread_join(thread, 0) == 0);
    puts("ok");
}
