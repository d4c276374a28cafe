// Functions that a test calls, which call those of callee.c through stubs.
struct large { long word[6]; };
unsigned long strlen(const char *);
int snprintf(char *, unsigned long, const char *, ...);
void qsort(void *, unsigned long, unsigned long, int (*)(const void *, const void *));

extern int variable;
extern _Thread_local long shared;
static _Thread_local long own = 5;
static int numbers[] = {9, 3, 7, 1, 8};
static const char *const words[] = {"one", "three", "seventeen"};

#ifdef __aarch64__
#include <arm_sve.h>
#define SCALABLE __attribute__((target("sve")))
SCALABLE long lanes(svint64_t numbers, long base);
// What is left when each lane's number is subtracted from their sum.
SCALABLE long scalable(void) {
    long count = svcntd();
    return lanes(svindex_s64(1, 1), 1000) - 1000 - count * (count + 1) / 2;
}
#endif

struct large large(long first);
double many(long, long, long, long, long, long, long, long, long, double, double, double, double,
            double, double, double, double, double);
long odd(long n);

long lengths(void) {
    long sum = 0;
    for (int i = 0; i < 3; i++) sum += strlen(words[i]);
    return sum;
}

long text(double x, long n) {
    char buffer[64];
    snprintf(buffer, sizeof buffer, "%.3f %ld %s", x, n, words[1]);
    return strlen(buffer) * 1000 + buffer[0];
}

static int ascending(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

long sorted(long at) {
    qsort(numbers, 5, sizeof(int), ascending);
    return numbers[at];
}

long data(void) { return ++variable; }

// Sums beside it that must survive the search for the variables.
long thread_local_sum(long a, long b) {
    double x = a * 0.5, y = b * 0.25;
    own += a;
    shared += b;
    return own * 1000 + shared + (long)(8 * (x + y));
}

long choose(long n) {
    switch (n) {
    case 0: return lengths();
    case 1: return 11;
    case 2: return data();
    case 3: return 33;
    case 4: return n * 7;
    case 5: return numbers[n - 5];
    case 6: return 66;
    case 7: return words[n - 7][0];
    default: return -1;
    }
}

long structures(long first) {
    struct large l = large(first);
    return l.word[0] + 10 * l.word[5];
}

double all_registers(void) {
    return many(1, 2, 3, 4, 5, 6, 7, 8, 9, .5, .25, .125, 1, 2, 3, 4, 5, 6);
}

long even(long n) { return n == 0 ? 1 : odd(n - 1); }

long through(long (*function)(long), long n) { return function(n) + 1; }
