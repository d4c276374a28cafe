// about: functions of objects in a section of one name are together, between __start_ and __stop_
// objects: first.c second.c third.c
// cflags: -O0 -fPIC
// cflags: -O2
// > 104 107 110
// > 1 1, 0
#include "functions.h"
#include <stdio.h>

int first(int x), second(int x), third(int x);
int first_seen(int x), third_seen(int x);

int main(void) {
    printf("%d %d %d\n", first(1), second(2), third(3));
    printf("%d %d, %d\n", is_in(first_seen), is_in(third_seen), is_in(main));
}
