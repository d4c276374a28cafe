// about: objects that take variables of libraries, of the runtime and large ones of their own to be near
// objects: object.c static.cpp
// cflags: -O0 -fno-pic
// cflags: -O2 -fno-pic
// ldflags: -no-pie -lstdc++
// > written by the object
// > library data 7 7, the same 1, large 3 4
// > constructed
// > processor 1
// > header 1
// > destroyed
#include <stdio.h>
#include <unistd.h>

void object_writes(const char *text);
int object_sets_option(int value);
char **object_environment(void);
int object_large(int x);
int object_processor(void);
int object_header(void);
void object_static(void);
extern char **environ;

int main(void) {
    object_writes("written by the object\n");
    int set = object_sets_option(7);
    printf("library data %d %d, the same %d, large %d %d\n", set, optind,
           object_environment() == environ, object_large(3), object_large(4));
    object_static();
    printf("processor %d\nheader %d\n", object_processor(), object_header());
}
