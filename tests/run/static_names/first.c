#include <stdio.h>

static int counter = 10;
static const int table[] = {20};
static const char *const name = "first";
static int helper(void) { return ++counter; }
static void show(void) {
    static int local = 0;
    local++;
    int a = helper(), b = helper(), c = helper();
    printf("%s: %d %d %d calls, table %d\n", name, a, b, c, table[0] * local);
}
void first(void) { show(); }
void *first_helper(void) { return (void *)helper; }
