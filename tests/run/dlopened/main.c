// about: functions and data of a shared library given on the command line
// shared: lib.c
// > constructor of the library
// > ok
// > destructor of the library
#include "check.h"

extern int library_data;
extern const char *const library_names[];
int library_add(int a, int b);
int library_call(int (*callback)(int), int x);
int (*library_function(void))(int, int);
int *library_data_address(void);
__attribute__((weak)) int library_missing(void);
// The program's own definition comes before the library's.
NOINLINE int library_own(void) { return 1; }

static int callback(int x) { return x * 10; }
static int (*pointer)(int, int) = library_add;
static int *data_pointer = &library_data;

int main(void) {
    CHECK(library_add(1, 2) == 3 && pointer(3, 4) == 7);
    CHECK(library_call(callback, 5) == 50);
    int (*volatile address)(int, int) = library_add;
    CHECK(address == library_function() && address == pointer);
    CHECK(library_data == 11);
    library_data = 12;
    CHECK(*library_data_address() == 12 && &library_data == library_data_address() &&
          *data_pointer == 12);
    CHECK(library_names[1][0] == 'b');
    CHECK(!library_missing);
    CHECK(library_own() == 1);
    puts("ok");
}
