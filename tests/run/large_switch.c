// about: a switch of 4,000 cases with a block each, dense and sparse
// > ok
#include "check.h"
#include "repeat.h"

static volatile unsigned state;
#define ALL(m) THOUSAND(m, 1) THOUSAND(m, 2) THOUSAND(m, 3) THOUSAND(m, 4)

#define DENSE(n)                                                                                   \
    case n: state = state * 31 + n; return state ^ n;
NOINLINE unsigned dense(unsigned key) {
    switch (key) { ALL(DENSE) }
    return -1;
}
#define SPARSE(n)                                                                                  \
    case n * 1048577u: state = state * 31 + n; return state ^ n;
NOINLINE unsigned sparse(unsigned key) {
    switch (key) { ALL(SPARSE) }
    return -1;
}

int main(void) {
    for (unsigned n = 1000; n < 5000; n++) {
        unsigned next = (state = n) * 31 + n;
        CHECK(dense(n) == (next ^ n));
        state = n;
        CHECK(sparse(n * 1048577u) == (next ^ n));
    }
    CHECK(dense(5000) == -1u && dense(999) == -1u && sparse(5) == -1u);
    puts("ok");
}
