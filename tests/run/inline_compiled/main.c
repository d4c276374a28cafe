// about: a function is inlined whether or not it was compiled before, and stays one function with one address
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined >= 2 in O2
// > compiled first 11
// > then inlined 11 12
// > same address 1
// > 4 threads 4000
#include <pthread.h>
#include <stdio.h>
int next(int);
void *address_in_other(void);
extern int (*volatile pointer)(int);
__attribute__((noinline)) static int calls(int x) { return next(x); }
__attribute__((noinline)) static int calls_again(int x) { return next(next(x)); }
static void *work(void *total) {
    for (int i = 0; i < 1000; i++) __atomic_fetch_add((int *)total, next(0) - 10 + calls(0) - 10, __ATOMIC_RELAXED);
    return NULL;
}
int main(int argc, char **argv) {
    printf("compiled first %d\n", pointer(argc));
    int one = calls(argc), two = calls_again(argc) - 9;
    printf("then inlined %d %d\n", one, two);
    printf("same address %d\n", (void *)next == address_in_other() && (void *)next == (void *)pointer);
    pthread_t threads[4];
    int total = 4000;
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, &total);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("4 threads %d\n", total);
}
