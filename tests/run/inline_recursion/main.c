// about: functions that call themselves, or one another across modules, are inlined no deeper than they are different
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined >= 1 in O2
// > fib 55, deep 500000
// > even 1 0
// > three 3000
// > own caller 21
#include <stdio.h>
int fib(int);
int odd(int);
int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int two_of_three(int);
int one_of_three(int n) { return n <= 0 ? 0 : 1 + two_of_three(n - 1); }
int deep(int n);
int back(int (*function)(int), int n);
int forth(int n) { return n <= 0 ? 1 : n + back(forth, n - 1); }
int main(int argc, char **argv) {
    printf("fib %d, deep %d\n", fib(9 + argc), deep(499999 + argc));
    printf("even %d %d\n", even(99 + argc), even(100 + argc));
    printf("three %d\n", one_of_three(2999 + argc));
    printf("own caller %d\n", forth(5 + argc) - argc + 0);
}
