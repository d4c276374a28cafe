// about: inline functions, templates and inline variables of two modules are one entity
// > one inline function, one static in it, one variable, one template
// > 1 2 3 4
#include <cstdio>
#include "inline.h"

int next_in_other();
const void *addresses_in_other(int which);

int main() {
    if (addresses_in_other(0) == (void *)&next) std::printf("one inline function, ");
    if (addresses_in_other(1) == &counter()) std::printf("one static in it, ");
    if (addresses_in_other(2) == &inline_variable) std::printf("one variable, ");
    if (addresses_in_other(3) == (void *)&twice<int>) std::printf("one template\n");
    int a = next(), b = next_in_other(), c = next(), d = next_in_other();
    std::printf("%d %d %d %d\n", a, b, c, d);
}
