// about: common symbols are merged: the largest size, the strictest alignment, a real definition
// cflags: -O0 -fcommon
// cflags: -O2 -fcommon
// > ok
#include <stdint.h>
#include "check.h"

int plain;                                    // common in both
char growing[4];                              // larger in the other module
int defined;                                  // initialized in the other module
char aligned[8] __attribute__((aligned(16))); // stricter in the other module
long lone;                                    // common here only
char size_before, size_after;

void set_in_other(void);
int grown_in_other(int i);
void *aligned_in_other(void);

int main(void) {
    CHECK(plain == 0 && lone == 0 && defined == 42);
    set_in_other();
    CHECK(plain == 5 && grown_in_other(999) == 9 && growing[0] == 1);
    CHECK(size_before == 0 && size_after == 0);
    CHECK((uintptr_t)aligned % 256 == 0 && aligned_in_other() == aligned);
    lone = 3;
    CHECK(lone == 3);
    puts("ok");
}
