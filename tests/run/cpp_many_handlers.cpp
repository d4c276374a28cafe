// about: a function with a hundred handlers, each for a type of its own; exceptions through frames of all shapes
// > handled 100 of 100, each by its own
// > rows 0 to 255 intact
// > unwound 6 of 6
#include <alloca.h>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include "check.h"
#include "repeat.h"

template <int N> struct Kind { int value; };
template <int N> NOINLINE void raise(int value) { throw Kind<N>{value}; }

#define HANDLED(n)                                                                                 \
    try {                                                                                          \
        if (which == n - 100) raise<n>(3 * n);                                                     \
    } catch (const Kind<n> &kind) {                                                                \
        return kind.value;                                                                         \
    }
static NOINLINE int handle(int which) {
    HUNDRED(HANDLED, 1)
    return -1;
}

static int unwound;
struct Guard {
    ~Guard() { unwound++; }
};

static NOINLINE void plain(int depth);

// The frame has a size that is not known, and an array that wants to lie at a multiple of 64.
static NOINLINE void odd(int depth) {
    Guard guard;
    alignas(64) char aligned[64];
    char *sized = static_cast<char *>(alloca(depth * 100 + 1));
    memset(aligned, depth, sizeof aligned);
    memset(sized, depth, depth * 100 + 1);
    if (reinterpret_cast<uintptr_t>(aligned) % 64) printf("not aligned\n");
    plain(depth - 1);
    if (sized[0] != aligned[0]) printf("overwritten\n");
}

static NOINLINE void plain(int depth) {
    Guard guard;
    if (depth == 0) throw depth;
    odd(depth);
}

int main() {
    int own = 0;
    for (int which = 0; which < 100; which++) own += handle(which) == 3 * (which + 100);
    printf("handled %d of 100, each by its own\n", own);
    unsigned char rows[256];
    for (int i = 0; i < 256; i++) rows[i] = i;
    try {
        odd(3);
    } catch (int) {
        bool is_intact = true;
        for (int i = 0; i < 256; i++) is_intact &= rows[i] == i;
        printf("rows 0 to 255 %s\n", is_intact ? "intact" : "changed");
    }
    printf("unwound %d of 6\n", unwound);
}
