// about: exceptions across modules and through frames of native and of C code
// cflags: -O0 -fexceptions
// cflags: -O2 -fexceptions
// > through qsort 3
// > through bsearch 4
// > through C: 5
// > through std::call_once 6, and called again
// > many 1000
// > deep 20000
// > typed: module exception, code 8
// > library caught 9, threw 10
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include "check.h"
#include "error.h"

static NOINLINE void fail(int x) { throw x; }
static int compare_throws(const void *a, const void *b) {
    if (*(const int *)a == 3 || *(const int *)b == 3) fail(3);
    return *(const int *)a - *(const int *)b;
}
static int bsearch_throws(const void *, const void *) { throw 4; }
extern "C" int through_c(int (*callback)(int), int x);
static int callback_throws(int x) { throw x; }
static NOINLINE int recurse(int n) {
    // The volatile read keeps the frame when optimizing.
    volatile int keep = n;
    if (n == 0) throw keep + 20000;
    return recurse(n - 1) + keep;
}

int main() {
    int numbers[] = {5, 2, 8, 3, 1};
    try {
        std::qsort(numbers, 5, sizeof(int), compare_throws);
    } catch (int x) {
        std::printf("through qsort %d\n", x);
    }
    try {
        std::bsearch(numbers, numbers, 5, sizeof(int), bsearch_throws);
    } catch (int x) {
        std::printf("through bsearch %d\n", x);
    }
    try {
        through_c(callback_throws, 5);
    } catch (int x) {
        std::printf("through C: %d\n", x);
    }
    std::once_flag once;
    try {
        std::call_once(once, [] { throw 6; });
    } catch (int x) {
        std::printf("through std::call_once %d", x);
    }
    std::call_once(once, [] { std::printf(", and called again\n"); });
    int caught = 0;
    for (int i = 0; i < 1000; i++) {
        try {
            fail(i);
        } catch (int x) {
            caught += x == i;
        }
    }
    std::printf("many %d\n", caught);
    try {
        recurse(20000);
    } catch (int x) {
        std::printf("deep %d\n", x);
    }
    try {
        throw_module_error(8);
    } catch (const ModuleError &e) {
        std::printf("typed: %s, code %d\n", e.what(), e.code);
    }
    try {
        catch_and_throw([] { throw 9; });
    } catch (long x) {
        std::printf(", threw %ld\n", x);
    }
}
