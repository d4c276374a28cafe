// about: hidden, protected and internal symbols are shared between the program's modules
// > ok
#include <stdlib.h>
#include <string.h>
#include "check.h"

#define VISIBILITY(v) __attribute__((visibility(v)))
VISIBILITY("hidden") int hidden_function(int x);
VISIBILITY("protected") int protected_function(int x);
extern VISIBILITY("hidden") int hidden_data;
extern VISIBILITY("protected") int protected_data[4];
VISIBILITY("hidden") extern int (*const hidden_table[])(int);

// A hidden name of the program does not meet libc's own.
VISIBILITY("hidden") int rand_r(unsigned *seed) { return (int)*seed + 1; }
VISIBILITY("internal") NOINLINE int internal_function(int x) { return x - 1; }

int main(void) {
    CHECK(hidden_function(1) == 2 && protected_function(1) == 3);
    hidden_data = 8;
    CHECK(hidden_function(0) == 8);
    CHECK(protected_data[3] == 4);
    CHECK(hidden_table[0] == hidden_function && hidden_table[1](5) == 7);
    unsigned seed = 9;
    CHECK(rand_r(&seed) == 10);
    CHECK(internal_function(1) == 0);
    puts("ok");
}
