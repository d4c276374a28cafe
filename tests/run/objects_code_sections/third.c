#include "functions.h"

PLACED int third_seen(int x) { return x + 1; }
PLACED static int own(int x) { return x * 2; }
__attribute__((noinline)) static int beside(int x) { return own(x) + third_seen(x); }
int third(int x) {
    return beside(x) + 100 * (is_in(own) && is_in(third_seen) && !is_in(beside) && !is_in(third));
}
