/* Threads that call many functions for the first time, each its own share.
 *
 *     first_calls THREADS CALLS
 *
 * The functions come from a generated header: FUNCTION(0) FUNCTION(1) ... */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTION(n)                                                                                \
    unsigned work##n(unsigned x) {                                                                 \
        unsigned a[16], s = x;                                                                     \
        for (int i = 0; i < 16; i++)                                                               \
            a[i] = x * (n % 13 + 3) + i * (n % 17 + 1);                                            \
        for (int i = 0; i < 64; i++) {                                                             \
            switch (a[i % 16] % 7) {                                                               \
            case 0: s += a[i % 5] ^ n; break;                                                      \
            case 1: s = s << 3 | s >> 29; break;                                                   \
            case 2: a[i % 16] += s / (i + 1); break;                                               \
            case 3: s = s & 1 ? s ^ a[3] : s - a[4]; break;                                        \
            case 4:                                                                                \
                for (int j = 0; j < i; j += 9)                                                     \
                    s += a[j % 16] * j;                                                            \
                break;                                                                             \
            default: s = s * 5 + (a[i % 16] > n ? 1 : 2); a[s % 16]++;                             \
            }                                                                                      \
        }                                                                                          \
        return s;                                                                                  \
    }
#include FUNCTIONS
#undef FUNCTION

static unsigned (*const functions[])(unsigned) = {
#define FUNCTION(n) work##n,
#include FUNCTIONS
};

static unsigned long threads, calls, sums[64];

static void *share(void *thread) {
    unsigned long sum = 0;
    for (unsigned long f = (unsigned long)thread; f < calls; f += threads)
        sum += functions[f]((unsigned)f);
    sums[(unsigned long)thread] = sum;
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    threads = strtoul(argv[1], NULL, 10);
    calls = strtoul(argv[2], NULL, 10);
    if (threads < 1 || threads > 64 || calls > sizeof functions / sizeof *functions)
        return 2;
    pthread_t ids[64];
    for (unsigned long t = 0; t < threads; t++)
        pthread_create(&ids[t], NULL, share, (void *)t);
    unsigned long sum = 0;
    for (unsigned long t = 0; t < threads; t++) {
        pthread_join(ids[t], NULL);
        sum += sums[t];
    }
    printf("%lu\n", sum);
    return 0;
}
