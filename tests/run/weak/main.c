// about: a weak definition gives way to a strong one in any module, and serves when there is none
// modules: weak.c main.c strong.c
// > overridden strong, in weak.c strong
// > lone weak, data 1
// > data 2, same address 1
// > first weak wins: weak.c
// > weak here, strong there: strong
// > pointer in data: strong
#include <stdio.h>

const char *overridden(void), *lone(void), *two_weak(void), *overridden_from_weak(void);
extern int weak_data, lone_data;
int *weak_data_in_strong(void);
__attribute__((weak)) const char *here(void) { return "weak"; }
extern const char *(*const pointer_to_overridden)(void);

int main(void) {
    printf("overridden %s, in weak.c %s\n", overridden(), overridden_from_weak());
    printf("lone %s, data %d\n", lone(), lone_data);
    printf("data %d, same address %d\n", weak_data, weak_data_in_strong() == &weak_data);
    printf("first weak wins: %s\n", two_weak());
    printf("weak here, strong there: %s\n", here());
    printf("pointer in data: %s\n", pointer_to_overridden());
}
