// about: main returns while a thread sleeps that has locked stdout; nothing hangs, nothing is lost
// exit: 3
// > printed before
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_barrier_t locked;
static void *hold(void *argument) {
    flockfile(stdout);
    flockfile(stdout);
    pthread_barrier_wait(&locked);
    for (;;) pause();
    return argument;
}
int main(void) {
    printf("printed before\n");
    pthread_t thread;
    pthread_barrier_init(&locked, NULL, 2);
    pthread_create(&thread, NULL, hold, NULL);
    pthread_barrier_wait(&locked);
    return 3;
}
