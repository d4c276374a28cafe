// about: of 1,000 functions in the module only those that are called are compiled
// cflags: -O0
// stat: functions_known >= 1000
// stat: functions_compiled >= 2
// stat: functions_compiled <= 5
// > 7
#include <stdio.h>
#include "repeat.h"

#define FUNCTION(n) int f##n(int x) { return x < 0 ? f##n(x + 1) : x + n; }
THOUSAND(FUNCTION, 1)

int main(int argc, char **argv) {
    if (argc > 5) return f1234(argc);
    printf("%d\n", f1500(-3) - 1500 + 7);
}
