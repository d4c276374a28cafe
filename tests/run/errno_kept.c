// about: a first call leaves errno alone, and a function gets errno as its caller left it
// > ok
#include <errno.h>
#include "check.h"

NOINLINE static int sees(void) { return errno; }
NOINLINE static void sets(int x) { errno = x; }
NOINLINE static int both(int x) {
    int before = errno;
    errno = x;
    return before;
}
int main(void) {
    errno = 5;
    CHECK(sees() == 5);
    CHECK(errno == 5);
    sets(6);
    CHECK(errno == 6);
    CHECK(both(7) == 6 && errno == 7);
    puts("ok");
}
