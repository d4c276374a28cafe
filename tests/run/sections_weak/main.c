// about: of weak data between __start_NAME and __stop_NAME, that of the first module is there, whatever the size of the others
// native: no, there the data of the others stays between them
// > ok
#include "check.h"

__attribute__((weak, section("set"))) int shared[4] = {1, 2, 3, 4};
__attribute__((section("set"), used)) static int own = 10;
extern int __start_set[], __stop_set[];

int *other(void);

int main(void) {
    int sum = 0;
    for (int *at = __start_set; at < __stop_set; at++)
        sum += *at;
    CHECK(shared >= __start_set && shared + 4 <= __stop_set && other() == shared);
    CHECK(__stop_set - __start_set == 6 && sum == 40);
    puts("ok");
}
