// about: a thousand functions, each first called by the one before, on a stack of 256 KiB
// > 1000 frames deep
#include <pthread.h>
#include "check.h"
#include "repeat.h"

typedef long function(int);
#define DECLARE(n) NOINLINE static function f##n;
THOUSAND(DECLARE, 1)
#define ENTRY(n) f##n,
static function *const functions[] = {THOUSAND(ENTRY, 1)};
#define DEFINE(n)                                                                                  \
    static long f##n(int left) { return left ? functions[n - 1000 + 1](left - 1) + 1 : 1; }
THOUSAND(DEFINE, 1)

static void *thread(void *argument) {
    (void)argument;
    return (void *)f1000(999);
}
int main(void) {
    pthread_attr_t attributes;
    pthread_t id;
    void *depth;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_create(&id, &attributes, thread, NULL);
    pthread_join(id, &depth);
    printf("%ld frames deep\n", (long)depth);
}
