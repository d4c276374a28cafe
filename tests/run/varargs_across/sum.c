#include <stdarg.h>
double sum_all(const char *kinds, ...) {
    va_list list;
    va_start(list, kinds);
    double sum = 0;
    for (; *kinds; kinds++) sum += *kinds == 'd' ? va_arg(list, double) : va_arg(list, int);
    va_end(list);
    return sum;
}
