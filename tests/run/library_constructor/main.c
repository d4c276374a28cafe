// about: constructors of libraries, which run first, call the program's functions
// shared: lib.c
// cflags: -O0
// cflags: -O2
// ldflags: -rdynamic
// > in the library: two of 2
// > in the program: two of 2
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char *first_text;

static int count(void) {
    static int calls;
    return ++calls;
}

const char *program_text(int number) {
    char *text = malloc(32);
    count();
    snprintf(text, 32, "%s of %d", number == 2 ? "two" : "other", count());
    return strlen(text) > 0 ? text : "";
}

int main(void) {
    printf("in the program: %s\n", first_text);
    return 0;
}
