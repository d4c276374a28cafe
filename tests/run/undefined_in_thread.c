// about: a call of a function that nobody defines, from deep in a second thread
// native: no, a linker wants all symbols
// exit: 127
// stderr: nobody_defines_this
// > thread started
#include <pthread.h>
#include <stdio.h>
void nobody_defines_this(void);
static void deep(int n) {
    if (n == 0) nobody_defines_this();
    else deep(n - 1);
}
static void *run(void *argument) {
    puts("thread started");
    deep(10);
    return argument;
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    puts("not reached");
}
