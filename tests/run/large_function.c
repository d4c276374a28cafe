// about: a function of 5,000 statements, which spans many pages and has far branches
// > 5000 38750000
#include <stdio.h>
#include "repeat.h"

static volatile long sum;
#define STATEMENT(n)                                                                               \
    if (x == (n)) goto out;                                                                        \
    sum += (n) * ((n) & 3) + x++;

int large(int x) {
    THOUSAND(STATEMENT, 1)
    THOUSAND(STATEMENT, 2)
    THOUSAND(STATEMENT, 3)
    THOUSAND(STATEMENT, 4)
    THOUSAND(STATEMENT, 5)
out:
    return x;
}
int main(void) {
    int last = large(0);
    printf("%d %ld\n", last, sum);
}
