// about: the bounds of the program's sections are not those that a library exports of its own
// objects: registry.c
// shared: lib.c
// also: registry.c -fno-pic
// ldflags: -no-pie
// > registered 7
// > main, 2 in the library
#include <stdio.h>

__attribute__((section("records"), used)) static int record = 7;

int library_records(void);

int main(void) {
    printf("main, %d in the library\n", library_records());
    return 0;
}
