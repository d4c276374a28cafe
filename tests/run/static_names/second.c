#include <stdio.h>

static int counter = 20;
static const int table[] = {30};
static const char *const name = "second";
static int helper(void) { return ++counter; }
static void show(void) {
    static int local = 0;
    local++;
    int a = helper(), b = helper(), c = helper();
    printf("%s: %d %d %d calls, table %d\n", name, a, b, c, table[0] * local);
}
void second(void) { show(); }
void *second_helper(void) { return (void *)helper; }
