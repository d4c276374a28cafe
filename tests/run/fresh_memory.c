// about: what a program reads before it writes is mostly zeros, on the stack and in new blocks, as for one that runs by itself
// > ok
#include <errno.h>
#include "check.h"

enum { ROOM = 192 << 10, BLOCKS = 2000 };

NOINLINE static int garbage_on_stack(void) {
    volatile char room[ROOM];
    int count = 0;
    for (int i = 0; i < ROOM; i++)
        count += room[i] != 0;
    return count;
}

static void *resized(size_t size) { return realloc(NULL, size); }
static void *aligned(size_t size) {
    void *block = NULL;
    CHECK(posix_memalign(&block, 16, size) == 0);
    return block;
}

NOINLINE static int garbage_in_blocks(void *(*allocate)(size_t)) {
    int count = 0;
    for (int i = 0; i < BLOCKS; i++) {
        int size = 8 << i % 7;
        volatile char *block = allocate(size);
        for (int j = 0; j < size; j++)
            count += block[j] != 0;
    }
    return count;
}

static void check_errors(void) {
    void *block = &block;
    CHECK(posix_memalign(&block, 24, 8) == EINVAL && posix_memalign(&block, 4, 8) == EINVAL);
    CHECK(posix_memalign(&block, 64, (size_t)-1 >> 1) == ENOMEM);
    CHECK(block == &block);
}

int main(void) {
    // The dynamic linker uses the stack first.
    int on_stack = garbage_on_stack();
    CHECK(on_stack < 4 << 10);
    CHECK(garbage_in_blocks(malloc) == 0);
    CHECK(garbage_in_blocks(resized) == 0);
    CHECK(garbage_in_blocks(aligned) == 0);
    check_errors();
    puts("ok");
}
