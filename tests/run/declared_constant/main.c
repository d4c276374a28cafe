// about: a variable that one module writes and another one declares as a constant
// cflags: -O0
// cflags: -O2 -Xclang -disable-llvm-passes
// native: no, a compiler alone believes the declaration
// > 1 2
#include <stdio.h>
extern int *const pointer;
void point_at(int *);
static int read_before_and_after(int *next) {
    int before = *pointer;
    point_at(next);
    return 10 * before + *pointer;
}
int main(void) {
    int one = 1, two = 2;
    point_at(&one);
    int both = read_before_and_after(&two);
    printf("%d %d\n", both / 10, both % 10);
}
