// about: ifuncs of objects: called from the object itself, by pointer and from bitcode, one address
// objects: object.c
// ldflags: -no-pie
// cflags: -O0 -fPIC
// cflags: -O2 -fPIC
// cflags: -O2 -fno-pic -fno-pie
// > ok
#include "check.h"

typedef int function(int);
int chosen(int x);
int call_in_object(int x);
int call_local_in_object(int x);
function *address_in_object(void);
function *local_address_in_object(void);
extern function *pointer_in_object, *local_pointer_in_object;
static function *pointer = chosen;

int main(void) {
    CHECK(call_in_object(4) == 8 && call_in_object(5) == 10);
    CHECK(chosen(6) == 12 && pointer(7) == 14 && pointer_in_object(8) == 16);
    CHECK(pointer == chosen && address_in_object() == chosen && pointer_in_object == chosen);
    CHECK(call_local_in_object(4) == 12 && local_pointer_in_object(5) == 15);
    CHECK(local_address_in_object() == local_pointer_in_object);
    puts("ok");
}
