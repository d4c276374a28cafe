// about: switches of few cases, values that two blocks agree on, and what stands in the midst of a block
// cflags: -O0
// cflags: -O1
// > 1 2 2 2 0 3 3 0
// > 1 0 4 3 0 2
// > 7 7 8 9
// > 1001 0111
// > -3 caught 6 total 7
#include <atomic>
#include <cstdint>
#include <cstdio>
#include "check.h"

// Ends of the range, a run of values, and two cases that lead to one block.
NOINLINE static int narrow(signed char value) {
    switch (value) {
    case -128: return 1;
    case -3: case -2: case -1: return 2;
    case 126: case 127: return 3;
    default: return 0;
    }
}

NOINLINE static int wide(std::uint64_t value) {
    switch (value) {
    case 0: return 1;
    case 1ull << 63: return 2;
    case UINT64_MAX: return 3;
    case (1ull << 63) - 1: return 4;
    default: return 0;
    }
}

// The result is chosen on the way, and the default cannot be reached.
NOINLINE static int chosen(unsigned value) {
    int result;
    switch (value & 3) {
    case 0: case 1: result = 7; break;
    case 2: result = 8; break;
    case 3: result = 9; break;
    default: __builtin_unreachable();
    }
    return result;
}

NOINLINE static bool both(bool a, const int *b) { return a && *b > 0; }
NOINLINE static bool either(bool a, const int *b) { return a || *b > 0; }

static std::atomic<int> total;

NOINLINE static int risky(int a, int b, int c) {
    if (a > 3) throw a + b - c;
    return a + b - c;
}

// Fences, atomic operations and calls that may throw, between what needs their operands.
NOINLINE static int between(int value, double part) {
    int before = value * 3 - 1, after = before ^ 5;
    total.fetch_add(after - before + value);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    unsigned long scaled = static_cast<unsigned long>(part * 2);
    int expected = total.load();
    total.compare_exchange_strong(expected, expected + static_cast<int>(scaled));
    try {
        return risky(value, after - before, static_cast<int>(static_cast<double>(scaled)) - 1);
    } catch (int caught) {
        std::printf(" caught %d", caught);
        return 0;
    }
}

int main() {
    std::printf("%d %d %d %d %d %d %d %d\n", narrow(-128), narrow(-3), narrow(-2), narrow(-1), narrow(0), narrow(126),
                narrow(127), narrow(-127));
    std::printf("%d %d %d %d %d %d\n", wide(0), wide(1), wide((1ull << 63) - 1), wide(UINT64_MAX), wide(7), wide(1ull << 63));
    std::printf("%d %d %d %d\n", chosen(0), chosen(5), chosen(2), chosen(7));
    int yes = 1, no = 0;
    std::printf("%d%d%d%d %d%d%d%d\n", both(true, &yes), both(true, &no), both(false, nullptr), either(true, nullptr),
                either(false, &no), either(false, &yes), either(true, &no), both(true, &yes));
    std::printf("%d", between(2, 0.5));
    between(4, 1);
    std::printf(" total %d\n", total.load());
}
