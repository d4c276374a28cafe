// about: a variadic function of another module sees in al how many vector registers are in use
// > 0 0.0
// > 36 36.0
// > 3 0.5
#include <stdio.h>

double sum_all(const char *kinds, ...);
int main(void) {
    int (*volatile print)(const char *, ...) = printf;
    print("0 %.1f\n", sum_all(""));
    print("36 %.1f\n", sum_all("dididididididididi", 1., 1, 2., 1, 3., 1, 4., 1, 5., 1, 6., 1, 7.,
                               1, 8., -8, 0., 1));
    print("3 %.1f\n", sum_all("id", -1, 1.5));
}
