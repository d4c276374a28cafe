// about: sections of one name are one array between __start_ and __stop_, in objects and bitcode alike
// objects: object.c second.c
// cflags: -O0 -fPIC
// cflags: -O2 -fPIC
// > entries: bitcode object object2 second bitcode2, sum 15
// > object counts 5, functions 2, both called 1 2
// > constants 3 4, only the object's 7 8, visible 3
// > absent 0
#include <stdio.h>
#include "entry.h"

ENTRY(first, "bitcode", 1);
extern struct entry __start_entries[], __stop_entries[];
extern function *__start_functions[], *__stop_functions[];
extern const int __start_constants[], __stop_constants[];
extern struct entry visible;
long count_in_object(void);
int *own_in_object(void);
long absent_in_object(void);

int main(void) {
    int sum = 0, called[2] = {0};
    printf("entries:");
    for (struct entry *e = __start_entries; e < __stop_entries; e++) {
        printf(" %s", e->name);
        sum += e->number;
    }
    printf(", sum %d\n", sum);
    long count = __stop_functions - __start_functions;
    for (long i = 0; i < count; i++) called[i] = __start_functions[i]();
    printf("object counts %ld, functions %ld, both called %d %d\n", count_in_object(), count,
           called[0], called[1]);
    int *own = own_in_object();
    printf("constants %d %d, only the object's %d %d, visible %d\n", __start_constants[0],
           __stop_constants[-1], own[0], own[1], visible.number);
    printf("absent %ld\n", absent_in_object());
}
