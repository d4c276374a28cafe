// about: three gigabytes of zeroes, used here and there, beside ordinary data and code
// native: no, it needs the medium code model
// > ok
#include <stdint.h>
#include "check.h"

enum { GIB = 1 << 30 };
static char first[GIB];
static int small = 5;
char second[GIB];
static char third[GIB];
int table[4] = {1, 2, 3, 4};
static char *const into_third = &third[GIB - 1];

NOINLINE static int spot(volatile char *array, long i) {
    int before = array[i];
    array[i] = 7;
    return before == 0 && array[i] == 7;
}
NOINLINE static int *near_data(void) { return &small; }

int main(void) {
    CHECK(spot(first, 0) && spot(first, GIB / 2) && spot(first, GIB - 1));
    CHECK(spot(second, 0) && spot(second, GIB - 1));
    CHECK(spot(third, 0) && spot(third, GIB - 1) && *into_third == 7);
    CHECK(*near_data() == 5 && table[3] == 4);
    CHECK(second[1] == 0 && first[GIB - 2] == 0);
    puts("ok");
}
