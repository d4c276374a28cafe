// about: a second thread ends the program, which runs the handlers in that thread
// exit: 3
// > handler in the thread that called exit: 1
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_t exiting;
static void handler(void) {
    printf("handler in the thread that called exit: %d\n", pthread_equal(pthread_self(), exiting));
}
static void *thread(void *argument) {
    exiting = pthread_self();
    exit(3);
    return argument;
}
int main(void) {
    pthread_t other;
    atexit(handler);
    pthread_create(&other, NULL, thread, NULL);
    for (;;) pause();
}
