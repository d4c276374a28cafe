// about: a function first called after 10,000 others, in one module
// cflags: -O0
// limit: 120
// > ten thousand called: 49995000, last 7
#include "check.h"
#include "repeat.h"

#define FUNCTION(n) NOINLINE static long f##n(long x) { return x + n; }
TEN_THOUSAND(FUNCTION, 1)
#define ENTRY(n) f##n,
static long (*const functions[])(long) = {TEN_THOUSAND(ENTRY, 1)};
NOINLINE static int last(int x) { return x + 4; }

int main(void) {
    long sum = 0;
    for (int i = 0; i < 10000; i++) sum += functions[i](0) - 10000;
    printf("ten thousand called: %ld, last %d\n", sum, last(3));
}
