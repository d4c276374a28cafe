#include "step.h"

__attribute__((noinline)) void *other_pick(int which) {
    static STEP here = {"of label", &&one};
    if (which) return 0;
    goto *here.place;
one:
    return here.place;
}

STEP last = {"other", 0};
