// about: aliases to functions and data, weak ones, and one to a weak function that is overridden
// > ok
#include "check.h"

NOINLINE int original(int x) { return x + 1; }
int other_name(int x) __attribute__((alias("original")));
int third_name(int x) __attribute__((weak, alias("other_name")));
static int hidden(int x) __attribute__((alias("original"), unused));

int data = 5;
extern int data_alias __attribute__((alias("data")));

// Another module has a strong definition of `replaced`; the alias keeps the body it was made for.
__attribute__((weak)) int replaced(int x) { return x + 100; }
int keeps_body(int x) __attribute__((alias("replaced")));

// And of this alias, which is weak.
int replaced_alias(int x) __attribute__((weak, alias("original")));

static int static_target(int x) { return x + 7; }
int exported(int x) __attribute__((alias("static_target")));

int through_other(int x);
int *data_alias_in_other(void);

int main(void) {
    CHECK(other_name(1) == 2 && third_name(2) == 3 && hidden(3) == 4);
    // Volatile, for clang takes it that two names are two functions.
    int (*volatile address)(int) = original, (*volatile other)(int) = other_name;
    int (*volatile third)(int) = third_name;
    CHECK(address == other && address == third);
    CHECK(data_alias == 5);
    data_alias = 6;
    int *volatile data_address = &data_alias;
    CHECK(data == 6 && &data == data_address && data_alias_in_other() == &data);
    CHECK(replaced(1) == 1001 && keeps_body(1) == 101);
    CHECK(replaced_alias(1) == 2001);
    CHECK(exported(1) == 8 && through_other(1) == 8 + 2);
    puts("ok");
}
