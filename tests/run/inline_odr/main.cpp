// about: inline functions and templates that several modules define are one, also where they are inlined
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined >= 2 in O2
// > 1 2 3 4
// > boxes 12 30
#include <cstdio>
#include "header.h"
int main(int argc, char **) {
    int a = bump(), b = bump_in_other(), c = bump(), d = bump_in_other();
    std::printf("%d %d %d %d\n", a, b, c, d);
    std::printf("boxes %d %d\n", Box<int>(10).plus(argc + 1), boxed_in_other(argc));
}
