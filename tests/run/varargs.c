// about: variadic functions, called first with every kind of argument, directly and by pointer
// > ints 45
// > doubles 55.0
// > mixed 1 2.5 three 4 5.25 -6 7.0
// > long double 1.5, pair 3 4, big 5 6 7
// > copied 6 6
// > by pointer 10 2.5
// > formatted: 42 3.14 text 18446744073709551615
// > none 7
#include <stdarg.h>
#include "check.h"

typedef struct {
    int x, y;
} pair;
typedef struct {
    long a, b, c;
} big;

NOINLINE static int sum_ints(int n, ...) {
    va_list list;
    va_start(list, n);
    int sum = 0;
    while (n-- > 0) sum += va_arg(list, int);
    va_end(list);
    return sum;
}
NOINLINE double sum_doubles(int n, ...) {
    va_list list;
    va_start(list, n);
    double sum = 0;
    while (n-- > 0) sum += va_arg(list, double);
    va_end(list);
    return sum;
}
NOINLINE static void mixed(const char *format, ...) {
    va_list list;
    va_start(list, format);
    printf("mixed");
    for (; *format; format++) {
        if (*format == 'i') printf(" %d", va_arg(list, int));
        if (*format == 'd') printf(" %g", va_arg(list, double));
        if (*format == 's') printf(" %s", va_arg(list, char *));
        if (*format == 'f') printf(" %.1f", va_arg(list, double));
    }
    printf("\n");
    va_end(list);
}
NOINLINE void structs(int dummy, ...) {
    va_list list;
    va_start(list, dummy);
    long double wide = va_arg(list, long double);
    pair p = va_arg(list, pair);
    big b = va_arg(list, big);
    printf("long double %.1Lf, pair %d %d, big %ld %ld %ld\n", wide, p.x, p.y, b.a, b.b, b.c);
    va_end(list);
}
NOINLINE static int consume(va_list list, int n) {
    int sum = 0;
    while (n-- > 0) sum += va_arg(list, int);
    return sum;
}
NOINLINE void copies(int n, ...) {
    va_list list, copy;
    va_start(list, n);
    va_copy(copy, list);
    int first = consume(list, n), second = consume(copy, n);
    printf("copied %d %d\n", first, second);
    va_end(copy);
    va_end(list);
}
NOINLINE static void pointed_to(int n, ...) {
    va_list list;
    va_start(list, n);
    int i = va_arg(list, int);
    printf("by pointer %d %g\n", i, va_arg(list, double));
    va_end(list);
}
NOINLINE static void format(const char *text, ...) {
    va_list list;
    va_start(list, text);
    vprintf(text, list);
    va_end(list);
}
NOINLINE static int none(int n, ...) { return n; }

int main(void) {
    printf("ints %d\n", sum_ints(9, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    printf("doubles %.1f\n", sum_doubles(10, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.));
    mixed("idsidif", 1, 2.5, "three", 4, 5.25, -6, 7.0);
    structs(0, 1.5L, (pair){3, 4}, (big){5, 6, 7});
    copies(3, 1, 2, 3);
    void (*volatile pointer)(int, ...) = pointed_to;
    pointer(2, 10, 2.5);
    format("formatted: %d %.2f %s %llu\n", 42, 3.14, "text", ~0ULL);
    printf("none %d\n", none(7));
}
