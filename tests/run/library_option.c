// about: -l finds a system library by its name
// run: -l m -l pthread
// > 1.4142 8
#include <math.h>
#include <stdio.h>
int main(void) {
    volatile double two = 2;
    printf("%.4f %g\n", sqrt(two), pow(two, 3));
}
