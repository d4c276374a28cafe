// about: position-independent ELF objects beside bitcode: calls, data, TLS, constructors, unwinding
// objects: object.cpp
// cflags: -O0 -fPIC
// cflags: -O2 -fPIC
// > constructor in the object
// > object_add 7, data 5, table object
// > callback 20, back in bitcode 11
// > weak overridden 1, data of bitcode 6
// > tls 3 4
// > caught in the object 9
// > static 0 1 2
// > destructor in the object
#include <stdio.h>

int object_add(int a, int b);
int object_callback(int (*callback)(int), int x);
int object_calls_back(int x);
int object_catches(void (*thrower)(int), int x);
int object_static(void);
const char *const *object_table(void);
extern int object_data;
extern _Thread_local int object_tls;
int *object_tls_address(void);
_Thread_local int bitcode_tls = 4;
__attribute__((weak)) int overridden(void) { return 0; }
int bitcode_data = 6;
int bitcode_function(int x) { return x + 1; }
static int twice(int x) { return x * 2; }
void throw_int(int x);

int main(void) {
    printf("object_add %d, data %d, table %s\n", object_add(3, 4), object_data, object_table()[1]);
    printf("callback %d, back in bitcode %d\n", object_callback(twice, 10), object_calls_back(10));
    printf("weak overridden %d, data of bitcode %d\n", overridden(), bitcode_data);
    printf("tls %d %d\n", object_tls, *object_tls_address());
    printf("caught in the object %d\n", object_catches(throw_int, 9));
    printf("static");
    for (int i = 0; i < 3; i++) printf(" %d", object_static());
    printf("\n");
}
