// about: objects for the small, position-dependent model: absolute 32-bit addresses
// objects: object.c
// cflags: -O0 -fno-pic -mcmodel=small
// cflags: -O2 -fno-pic -mcmodel=small
// > jump table 10 11 12 13 -1
// > text absolute, data 9, pointer 1
// > bitcode data 5, libc 3
#include <stdio.h>
int object_switch(int x);
const char *object_text(void);
int object_data_sum(int i);
int object_same_pointer(int (*function)(int));
int object_reads_bitcode(void);
int object_libc(const char *text);
int bitcode_data[3] = {4, 5, 6};
int main(void) {
    printf("jump table");
    for (int i = 0; i < 5; i++) printf(" %d", object_switch(i));
    printf("\ntext %s, data %d, pointer %d\n", object_text(), object_data_sum(1),
           object_same_pointer(object_switch));
    printf("bitcode data %d, libc %d\n", object_reads_bitcode(), object_libc("abc"));
}
