// about: main ends its thread with pthread_exit; the program goes on until the last thread ends
// > cleanup of main
// > thread after main
#include <pthread.h>
#include <stdio.h>

static pthread_t main_thread;
static void cleanup(void *text) { puts(text); }
static void *thread(void *argument) {
    pthread_join(main_thread, NULL);
    puts("thread after main");
    return argument;
}
int main(void) {
    pthread_t other;
    main_thread = pthread_self();
    pthread_cleanup_push(cleanup, "cleanup of main");
    pthread_create(&other, NULL, thread, NULL);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
    return 1;
}
