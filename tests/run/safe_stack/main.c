// about: functions with a safe stack find their other one where the program has it
// archive: yes
// cflags: -O0 -fsanitize=safe-stack
// cflags: -O2 -fsanitize=safe-stack
// also: runtime.c -fno-sanitize=safe-stack
// > main 5 1, thread 7 1
#include "check.h"
#include <pthread.h>
#include <string.h>

int is_in_unsafe_stack(void *address);
void start_thread(void);

NOINLINE static int copy(const char *text, int *is_apart) {
    char buffer[64];
    strcpy(buffer, text);
    *is_apart = is_in_unsafe_stack(buffer);
    return (int)strlen(buffer);
}

// Until a thread has both stacks.
#define ONE_STACK __attribute__((no_sanitize("safe-stack")))

ONE_STACK static void *thread(void *result) {
    start_thread();
    int *results = result;
    results[0] = copy("threads", &results[1]);
    return 0;
}

ONE_STACK int main(void) {
    static int results[2];
    int is_apart;
    start_thread();
    int length = copy("hello", &is_apart);
    pthread_t id;
    pthread_create(&id, 0, thread, results);
    pthread_join(id, 0);
    printf("main %d %d, thread %d %d\n", length, is_apart, results[0], results[1]);
}
