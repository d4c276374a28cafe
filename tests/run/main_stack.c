// about: main runs on the process's own stack, of which it can use nearly all
// > ok
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/resource.h>
#include "check.h"

NOINLINE static long deep(long bytes) {
    volatile char frame[4000];
    frame[0] = 1;
    if (bytes <= 0) return frame[0];
    return deep(bytes - (long)sizeof frame) + frame[0];
}
int main(void) {
    pthread_attr_t attributes;
    void *bottom;
    size_t size;
    char local;
    CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
    CHECK(pthread_attr_getstack(&attributes, &bottom, &size) == 0);
    CHECK(&local > (char *)bottom && &local < (char *)bottom + size);
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    long usable = limit.rlim_cur == RLIM_INFINITY ? 8 << 20 : (long)limit.rlim_cur;
    CHECK(deep(usable / 4 * 3) > 1);
    puts("ok");
}
