// about: small functions of other modules become part of their callers, with what is private to them
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined == 0 in O0
// stat: functions_inlined >= 9 in O2
// stat: functions_compiled <= 4 in O2
// > sum 42, through two modules 8
// > hidden here 1, in one 100, in two 200
// > static locals 1 2 3, and 1 again
// > constant text of one
// > thread-local 7, written 9
// > table 30
// > pointer 13
#include <stdio.h>

int sum(int, int);
int through_two(int);
int hidden_of_one(void);
int hidden_of_two(void);
int count_one(void);
int count_two(void);
const char *text_of_one(void);
int thread_local_of_one(void);
void set_thread_local_of_one(int);
int table_of_two(int);
int apply(int (*function)(int), int);
static int hidden = 1;
static int add_three(int x) { return x + 3; }

int main(int argc, char **argv) {
    printf("sum %d, through two modules %d\n", sum(40, argc + 1), through_two(argc));
    printf("hidden here %d, in one %d, in two %d\n", hidden, hidden_of_one(), hidden_of_two());
    int first = count_one(), second = count_one(), third = count_one();
    printf("static locals %d %d %d, and %d again\n", first, second, third, count_two());
    printf("%s\n", text_of_one());
    printf("thread-local %d", thread_local_of_one());
    set_thread_local_of_one(9);
    printf(", written %d\n", thread_local_of_one());
    printf("table %d\n", table_of_two(argc + 1));
    printf("pointer %d\n", apply(add_three, 10));
    hidden += argc;
}
