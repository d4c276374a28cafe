// about: fork from a thread while other threads compile; the child still compiles, also threads
// > 20 children were well
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "repeat.h"

#define BACKGROUND(n) NOINLINE static int background##n(int x) { return x + 1; }
HUNDRED(BACKGROUND, 1)
#define BACKGROUND_ENTRY(n) background##n,
static int (*const in_background[])(int) = {HUNDRED(BACKGROUND_ENTRY, 1)};

#define CHILD(n) NOINLINE static int child##n(int x) { return x + 1; }
HUNDRED(CHILD, 1)
#define CHILD_ENTRY(n) child##n,
static int (*const in_child[])(int) = {HUNDRED(CHILD_ENTRY, 1)};

static atomic_int next, stop;
static void *compile(void *argument) {
    // One function at a time, spread over the run of the forking thread.
    while (!stop) {
        int i = next++;
        if (i < 100) CHECK(in_background[i](i) == i + 1);
        usleep(200);
    }
    return argument;
}
static void *in_thread_of_child(void *x) {
    return in_child[(long)x](5) == 6 ? x : NULL;
}
static void *fork_often(void *argument) {
    long well = 0;
    for (long i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            pthread_t thread;
            void *result;
            alarm(10);
            if (pthread_create(&thread, NULL, in_thread_of_child, (void *)(i * 3 + 1))) _exit(1);
            pthread_join(thread, &result);
            _exit(result == (void *)(i * 3 + 1) && in_child[i * 3 + 2](5) == 6 ? 0 : 2);
        }
        int status;
        waitpid(pid, &status, 0);
        well += status == 0;
    }
    (void)argument;
    return (void *)well;
}
int main(void) {
    pthread_t compilers[2], forker;
    void *well;
    for (int i = 0; i < 2; i++) pthread_create(&compilers[i], NULL, compile, NULL);
    pthread_create(&forker, NULL, fork_often, NULL);
    pthread_join(forker, &well);
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(compilers[i], NULL);
    printf("%ld children were well\n", (long)well);
}
