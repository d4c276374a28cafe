/* Calls a function of another module, argv[1] million times. Aligned like step, so that the luck of
 * where a loop falls in a cache line is the same for every engine. */
#include <stdio.h>
#include <stdlib.h>

unsigned step(unsigned x);

__attribute__((aligned(64))) int main(int argc, char **argv) {
    unsigned long count = strtoul(argc > 1 ? argv[1] : "1000", NULL, 10) * 1000000;
    unsigned x = 1;
    for (unsigned long i = 0; i < count; i++)
        x = step(x);
    printf("%u\n", x);
    return 0;
}
