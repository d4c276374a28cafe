// about: ifuncs: resolved once, one address, called directly, by pointer and from another module
// ldflags: -no-pie
// > ok
#include "check.h"

static int resolutions;
static int fast(int x) { return x * 2; }
static int slow(int x) { return x * 3; }
static volatile int want_fast = 1;
static int (*resolve(void))(int) {
    resolutions++;
    return want_fast ? fast : slow;
}
int chosen(int x) __attribute__((ifunc("resolve")));

static int (*resolve_local(void))(int) { return slow; }
static int chosen_local(int x) __attribute__((ifunc("resolve_local")));

int (*address_in_other(void))(int);
int call_in_other(int x);
extern int (*other_pointer)(int);
static int (*pointer)(int) = chosen;

int main(void) {
    CHECK(chosen(4) == 8);
    CHECK(chosen_local(4) == 12);
    want_fast = 0;
    CHECK(chosen(4) == 8);
    int (*volatile address)(int) = chosen;
    CHECK(address(5) == 10 && pointer(6) == 12 && other_pointer(7) == 14);
    CHECK(address == pointer && address == address_in_other() && address == other_pointer);
    CHECK(call_in_other(8) == 16);
    CHECK(resolutions >= 1);
    puts("ok");
}
