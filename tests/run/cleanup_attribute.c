// about: cleanup attributes run in order, on return, on break and while an exception passes
// cflags: -O0 -fexceptions
// cflags: -O2 -fexceptions
// > c b a | loop 0 loop 1 | cancelled: inner outer end
#include <pthread.h>
#include <unistd.h>
#include "check.h"

static void say(const char **name) { printf("%s ", *name); }
#define NAMED(variable, text) const char *variable __attribute__((cleanup(say))) = text
NOINLINE static void scoped(void) {
    NAMED(a, "a");
    NAMED(b, "b");
    NAMED(c, "c");
}
NOINLINE static void loop(void) {
    const char *names[] = {"loop 0", "loop 1", "loop 2"};
    for (int i = 0; i < 3; i++) {
        if (i == 2) break;
        NAMED(name, names[i]);
    }
}
static int ends[2];
NOINLINE static void inner(void) {
    NAMED(name, "inner");
    char byte;
    // A cancellation point, where forced unwinding starts.
    if (read(ends[0], &byte, 1)) return;
}
static void *thread(void *argument) {
    NAMED(name, "outer");
    inner();
    return argument;
}
int main(void) {
    scoped();
    printf("| ");
    loop();
    printf("| cancelled: ");
    pthread_t cancelled;
    if (pipe(ends)) return 1;
    pthread_create(&cancelled, NULL, thread, NULL);
    usleep(10000);
    pthread_cancel(cancelled);
    pthread_join(cancelled, NULL);
    printf("end\n");
}
