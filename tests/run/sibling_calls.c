// about: calls whose values are returned take no stack, however deep, where blocks share a return
// cflags: -O1
// cflags: -O2
// > 1 0 100000000 done
#include "check.h"

NOINLINE static int is_odd(unsigned n);
NOINLINE static int is_even(unsigned n) {
    if (n == 0) return 1;
    return is_odd(n - 1);
}
NOINLINE static int is_odd(unsigned n) {
    if (n == 0) return 0;
    return is_even(n - 1);
}

static long calls;
NOINLINE static void tick(long left);
NOINLINE static void tock(long left) {
    calls++;
    if (left > 0) tick(left - 1);
}
NOINLINE static void tick(long left) {
    calls++;
    if (left > 0) tock(left - 1);
}

int main(void) {
    printf("%d %d", is_even(20000000), is_even(20000001));
    tick(99999999);
    printf(" %ld done\n", calls);
}
