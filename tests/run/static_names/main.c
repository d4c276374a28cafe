// about: static functions and variables of one name in three modules stay apart
// > main: 1 2 3 calls, table 10
// > first: 11 12 13 calls, table 20
// > second: 21 22 23 calls, table 30
// > distinct addresses
#include <stdio.h>

static int counter;
static const int table[] = {10};
static const char *const name = "main";
static int helper(void) { return ++counter; }
static void show(void) {
    static int local = 0;
    local++;
    int a = helper(), b = helper(), c = helper();
    printf("%s: %d %d %d calls, table %d\n", name, a, b, c, table[0] * local);
}

void first(void), second(void);
void *first_helper(void), *second_helper(void);
int main(void) {
    show();
    first();
    second();
    void *volatile mine = (void *)helper;
    if (mine != first_helper() && mine != second_helper() && first_helper() != second_helper())
        puts("distinct addresses");
}
