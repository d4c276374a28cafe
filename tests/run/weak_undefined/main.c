// about: a weak symbol that nobody defines is null, also in initializers; others are found
// > ok
#include "check.h"

#define WEAK __attribute__((weak))
extern int nobody(int) WEAK;
extern int nobodys_data WEAK;
extern int somebody(int) WEAK;
extern int somebodys_data WEAK;
extern int puts(const char *) WEAK;
extern void __gmon_start__(void) WEAK;

static int reference(int) __attribute__((weakref("nobody_either")));
static int reference_to_somebody(int) __attribute__((weakref("somebody")));

static int (*function_pointer)(int) = nobody;
static int *data_pointer = &nobodys_data;
static int (*defined_pointer)(int) = somebody;

NOINLINE static int call_if_there(int x) { return nobody ? nobody(x) : -x; }
NOINLINE static int read_if_there(void) { return &nobodys_data ? nobodys_data : -1; }

int main(void) {
    CHECK(call_if_there(5) == -5);
    CHECK(read_if_there() == -1);
    CHECK(function_pointer == 0 && data_pointer == 0);
    CHECK(defined_pointer != 0 && defined_pointer(1) == 2);
    CHECK(somebody != 0 && somebody(2) == 3);
    CHECK(&somebodys_data != 0 && somebodys_data == 9);
    CHECK(reference == 0 && reference_to_somebody(3) == 4);
    CHECK(puts != 0);
    puts("ok");
}
