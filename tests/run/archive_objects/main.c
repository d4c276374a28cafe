// about: an archive of ELF objects and bitcode, with a common symbol and a weak reference
// archive: yes
// objects: object.c
// cflags: -O0 -fPIC
// cflags: -O2 -fPIC
// > object 5, bitcode 6
// > weak reference pulls nothing: 1
#include <stdio.h>
int from_object(int x), from_bitcode(int x);
__attribute__((weak)) int only_weakly_wanted(void);
int main(void) {
    printf("object %d, bitcode %d\n", from_object(2), from_bitcode(3));
    printf("weak reference pulls nothing: %d\n", only_weakly_wanted == 0);
}
