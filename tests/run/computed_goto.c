// about: computed goto: labels in static tables, in local arrays, as differences, and inlined
// > 5 + 3 * 7 = 26
// > loop 10 9 8 7 6 5 4 3 2 1
// > differences 0 1 2 3
// > two copies 12 21
#include <stdio.h>
#include "check.h"

enum op { PUSH, ADD, MUL, HALT };
static int interpret(const int *code) {
    static void *const labels[] = {&&push, &&add, &&mul, &&halt};
    int stack[8], *top = stack;
    goto *labels[*code++];
push:
    *top++ = *code++;
    goto *labels[*code++];
add:
    top--;
    top[-1] += *top;
    goto *labels[*code++];
mul:
    top--;
    top[-1] *= *top;
    goto *labels[*code++];
halt:
    return top[-1];
}

static void loop(int n) {
    void *targets[2] = {&&again, &&done};
    printf("loop");
again:
    printf(" %d", n);
    goto *targets[--n == 0];
done:
    printf("\n");
}

static int by_difference(int i) {
    static const int offsets[] = {&&a - &&a, &&b - &&a, &&c - &&a, &&d - &&a};
    goto *(&&a + offsets[i]);
a:
    return 0;
b:
    return 1;
c:
    return 2;
d:
    return 3;
}

// Threaded code: the first call hands the labels out, the second runs what was made of them.
static NOINLINE int threaded(void **code, void ***labels) {
    static void *table[] = {&&one, &&two, &&out};
    int result = 0;
    if (labels) {
        *labels = table;
        return 0;
    }
    goto **code++;
one:
    result = result * 10 + 1;
    goto **code++;
two:
    result = result * 10 + 2;
    goto **code++;
out:
    return result;
}

int main(void) {
    const int code[] = {PUSH, 5, PUSH, 3, PUSH, 7, MUL, ADD, HALT};
    printf("5 + 3 * 7 = %d\n", interpret(code));
    loop(10);
    printf("differences");
    for (int i = 0; i < 4; i++) printf(" %d", by_difference(i));
    void **labels;
    threaded(NULL, &labels);
    void *ahead[] = {labels[0], labels[1], labels[2]}, *back[] = {labels[1], labels[0], labels[2]};
    printf("\ntwo copies %d %d\n", threaded(ahead, NULL), threaded(back, NULL));
}
