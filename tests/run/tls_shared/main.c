// about: thread-local data of a shared library, used by name, and libc's errno
// shared: lib.c
// > ok
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "check.h"

extern _Thread_local int from_library;
int *address_in_library(void);

static void *thread(void *argument) {
    (void)argument;
    CHECK(from_library == 5);
    CHECK(&from_library == address_in_library());
    from_library = 6;
    CHECK(close(-1) == -1 && errno == EBADF);
    return &from_library;
}
int main(void) {
    pthread_t t;
    void *other;
    CHECK(from_library == 5);
    from_library = 7;
    errno = 0;
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, &other);
    CHECK(other != &from_library && from_library == 7 && *address_in_library() == 7 && errno == 0);
    puts("ok");
}
