// Functions that are not compiled before they are called, for breakpoints in them.
#include <pthread.h>
#include <stdio.h>

struct point {
    int x, y;
};

static int calls;

__attribute__((noinline)) int lazy_inner(struct point *at, int factor) {
    int product = at->x * factor;
    calls++;
    printf("lazy_inner %d\n", product); // line 14
    return product + at->y;
}

__attribute__((noinline)) int lazy_outer(int value) {
    struct point start = {value, value + 1};
    int result = lazy_inner(&start, 10);
    return result + calls;
}

__attribute__((noinline)) void *in_thread(void *argument) {
    *(int *)argument = 77;
    return argument;
}

int main(void) {
    int sum = 0, seen = 0;
    for (int i = 1; i <= 3; i++)
        sum += lazy_outer(i);
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, &seen);
    pthread_join(thread, NULL);
    printf("sum %d, seen %d\n", sum, seen);
    return 0;
}
