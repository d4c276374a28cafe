#include "functions.h"

PLACED int second_seen(int x) { return x + 1; }
PLACED static int own(int x) { return x * 2; }
__attribute__((noinline)) static int beside(int x) { return own(x) + second_seen(x); }
int second(int x) {
    return beside(x) + 100 * (is_in(own) && is_in(second_seen) && !is_in(beside) && !is_in(second));
}
