// about: C11 atomics of every width, also of 16 bytes, under contention
// cflags: -O0 -mcx16
// cflags: -O2 -mcx16
// > counters 80000 80000 80000 80000
// > wide 80000 -80000
// > flag 1, exchange 5, compare 0 7
// > fetch and or xor: 12 14 9
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic unsigned char dummy8;
static atomic_short c16;
static atomic_int c32;
static atomic_long c64;
static _Atomic double real;
static _Atomic(__int128) wide;

static void *count(void *argument) {
    for (int i = 0; i < 10000; i++) {
        atomic_fetch_add(&c32, 1);
        atomic_fetch_add_explicit(&c64, 1, memory_order_relaxed);
        dummy8++;
        if (i % 10 == 0) c16++;
        for (double old = real; !atomic_compare_exchange_weak(&real, &old, old + 1);) {}
        __int128 both = ((__int128)-1 << 64) + 1;
        __int128 seen = __sync_val_compare_and_swap((__int128 *)&wide, 0, 0);
        for (__int128 old;
             (old = __sync_val_compare_and_swap((__int128 *)&wide, seen, seen + both)) != seen;)
            seen = old;
    }
    return argument;
}
int main(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    printf("counters %d %d %ld %.0f\n", c16 * 10, c32, c64, real);
    printf("wide %ld %ld\n", (long)wide, (long)((wide - (long)wide) >> 64));
    atomic_flag flag = ATOMIC_FLAG_INIT;
    atomic_flag_test_and_set(&flag);
    atomic_int x = 5;
    int expected = 6, set = atomic_flag_test_and_set(&flag), old = atomic_exchange(&x, 7);
    int swapped = atomic_compare_exchange_strong(&x, &expected, 9);
    printf("flag %d, exchange %d, compare %d %d\n", set, old, swapped, expected);
    x = 12;
    int a = atomic_fetch_or(&x, 2), b = atomic_fetch_and(&x, 9), c = 0;
    c = atomic_fetch_xor(&x, 1) + 1;
    printf("fetch and or xor: %d %d %d\n", a, b, c);
}
