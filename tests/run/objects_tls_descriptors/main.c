// about: thread-local variables of an object, found from where its own begin, by descriptors
// objects: object.c
// also: object.c -O2 -fPIC -mtls-dialect=gnu2
// ldflags: -pthread
// > main 6, thread 6, main again 9
#include <pthread.h>
#include <stdio.h>

int sum_in_object(void);
void add_in_object(int by);

static void *thread(void *sum) {
    *(int *)sum = sum_in_object();
    add_in_object(100);
    return 0;
}

int main(void) {
    int first = sum_in_object(), second;
    add_in_object(1);
    pthread_t id;
    pthread_create(&id, 0, thread, &second);
    pthread_join(id, 0);
    printf("main %d, thread %d, main again %d\n", first, second, sum_in_object());
}
