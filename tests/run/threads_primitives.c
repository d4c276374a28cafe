// about: mutexes, conditions, semaphores, thread-specific data, cancellation, detached threads
// > ok
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;
static void *alternate(void *number) {
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 2 != (long)number) pthread_cond_wait(&condition, &mutex);
        turn++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return number;
}

static pthread_key_t key;
static int destroyed;
static void destroy(void *value) {
    __atomic_add_fetch(&destroyed, *(int *)value, __ATOMIC_SEQ_CST);
}
static void *specific(void *value) {
    CHECK(pthread_getspecific(key) == NULL);
    pthread_setspecific(key, value);
    pthread_exit(value);
}

static sem_t started;
static int cleaned;
static void cleanup(void *argument) { cleaned = *(int *)argument; }
static void *wait_for_ever(void *argument) {
    pthread_cleanup_push(cleanup, argument);
    sem_post(&started);
    for (;;) pause();
    pthread_cleanup_pop(0);
    return NULL;
}
static void *detached(void *argument) {
    sem_post(&started);
    return argument;
}
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_calls;
static void call_once(void) { once_calls++; }
static void *calls_once(void *argument) {
    pthread_once(&once, call_once);
    CHECK(once_calls == 1);
    return argument;
}

int main(void) {
    pthread_t a, b;
    void *result;
    pthread_create(&a, NULL, alternate, (void *)0);
    pthread_create(&b, NULL, alternate, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, &result);
    CHECK(turn == 2000 && result == (void *)1);

    int five = 5, six = 6;
    pthread_key_create(&key, destroy);
    pthread_create(&a, NULL, specific, &five);
    pthread_create(&b, NULL, specific, &six);
    pthread_join(a, &result);
    pthread_join(b, NULL);
    CHECK(result == &five && destroyed == 11);

    sem_init(&started, 0, 0);
    pthread_create(&a, NULL, wait_for_ever, &five);
    sem_wait(&started);
    pthread_cancel(a);
    pthread_join(a, &result);
    CHECK(result == PTHREAD_CANCELED && cleaned == 5);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_create(&a, &attributes, detached, NULL);
    sem_wait(&started);

    pthread_t callers[8];
    for (int i = 0; i < 8; i++) pthread_create(&callers[i], NULL, calls_once, NULL);
    for (int i = 0; i < 8; i++) pthread_join(callers[i], NULL);
    CHECK(once_calls == 1);
    puts("ok");
}
