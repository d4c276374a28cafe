// about: functions of one module that call each other and themselves
// > even(1000) 1, odd(1000) 0
// > ack(2, 9) 21
// > hofstadter 3 4 5 5 6 6 6 8 8 8
#include <stdio.h>

static int odd(unsigned n);
static int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }
static int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }

int ack(int m, int n) { return m == 0 ? n + 1 : ack(m - 1, n == 0 ? 1 : ack(m, n - 1)); }

static int hofstadter(int n) {
    return n < 3 ? 1 : hofstadter(n - hofstadter(n - 1)) + hofstadter(n - hofstadter(n - 2));
}

int main(void) {
    printf("even(1000) %d, odd(1000) %d\n", even(1000), odd(1000));
    printf("ack(2, 9) %d\n", ack(2, 9));
    printf("hofstadter");
    for (int n = 5; n < 15; n++) printf(" %d", hofstadter(n));
    printf("\n");
}
