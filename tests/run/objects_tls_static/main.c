// about: objects for an executable: thread-local variables at fixed distances from the thread pointer
// objects: object.c
// cflags: -O0
// cflags: -O2 -fno-pic
// ldflags: -pthread -no-pie
// > thread 3221
// > main 26 6 12, pointer 1
// > thread 3221
// > main 36 7 14, pointer 1
#include <pthread.h>
#include <stdio.h>

int object_sum(int x);
int *object_points_to(void);
extern _Thread_local int defined_in_object;
_Thread_local int defined_in_bitcode = 10;
int pointed_to;

static void *thread(void *unused) {
    (void)unused;
    defined_in_object++;
    long sum = object_sum(3);
    return (void *)(sum * 100 + defined_in_object + defined_in_bitcode);
}

int main(void) {
    for (int i = 0; i < 2; i++) {
        pthread_t id;
        void *sum;
        pthread_create(&id, 0, thread, 0);
        pthread_join(id, &sum);
        printf("thread %ld\n", (long)sum);
        int here = object_sum(1);
        printf("main %d %d %d, pointer %d\n", here, defined_in_object, defined_in_bitcode,
               object_points_to() == &pointed_to);
    }
}
