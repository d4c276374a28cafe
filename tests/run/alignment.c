// about: data and functions are aligned as they ask to be, in every kind of section
// > ok
#include <stdint.h>
#include "check.h"

#define ALIGNED(n) __attribute__((aligned(n)))
static char data16[3] ALIGNED(16) = "ab", data64[3] ALIGNED(64) = "cd";
static char page[1] ALIGNED(4096) = {1}, zero_page[1] ALIGNED(4096);
static const char constant[1] ALIGNED(1024) = {2};
char large[1] ALIGNED(65536) = {3};
static _Thread_local char local[1] ALIGNED(128) = {4};
static _Thread_local char local_zero[1] ALIGNED(256);

NOINLINE ALIGNED(256) int function256(int x) { return x + 1; }
NOINLINE ALIGNED(4096) static int function4096(int x) { return x + 2; }

// The compiler knows the answers; it must not be asked.
NOINLINE static int is_aligned(const volatile void *address, unsigned alignment) {
    __asm__("" : "+r"(address));
    return (uintptr_t)address % alignment == 0;
}

int main(void) {
    CHECK(is_aligned(data16, 16) && is_aligned(data64, 64));
    CHECK(is_aligned(page, 4096) && is_aligned(zero_page, 4096) && is_aligned(constant, 1024));
    CHECK(is_aligned(large, 65536) && large[0] == 3);
    CHECK(is_aligned(local, 128) && is_aligned(local_zero, 256) && local[0] == 4);
    CHECK(is_aligned((void *)function256, 256) && is_aligned((void *)function4096, 4096));
    CHECK(function256(1) == 2 && function4096(1) == 3);
    CHECK(is_aligned((void *)function256, 256));
    puts("ok");
}
