// about: what a program reads before it writes is mostly zeros, on the stack and in new blocks, as for one that runs by itself
// > ok
#include "check.h"

enum { ROOM = 192 << 10, BLOCKS = 2000 };

NOINLINE static int garbage_on_stack(void) {
    volatile char room[ROOM];
    int count = 0;
    for (int i = 0; i < ROOM; i++)
        count += room[i] != 0;
    return count;
}

NOINLINE static int garbage_in_blocks(void) {
    int count = 0;
    for (int i = 0; i < BLOCKS; i++) {
        int size = 8 << i % 7;
        volatile char *block = malloc(size);
        for (int j = 0; j < size; j++)
            count += block[j] != 0;
    }
    return count;
}

int main(void) {
    // The dynamic linker uses the stack first.
    int on_stack = garbage_on_stack();
    CHECK(on_stack < 4 << 10);
    CHECK(garbage_in_blocks() == 0);
    puts("ok");
}
