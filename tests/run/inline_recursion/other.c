int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int even(int);
int odd(int n) { return n == 0 ? 0 : even(n - 1); }
int one_of_three(int);
int three_of_three(int n) { return n <= 0 ? 0 : 1 + one_of_three(n - 1); }
int two_of_three(int n) { return n <= 0 ? 0 : 1 + three_of_three(n - 1); }
int deep(int n) { return n == 0 ? 0 : 1 + deep(n - 1); }
int back(int (*function)(int), int n) { return function(n); }
