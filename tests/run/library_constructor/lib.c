#include <stdio.h>

extern const char *program_text(int number);

const char *first_text;

__attribute__((constructor)) static void begin(void) {
    first_text = program_text(2);
    printf("in the library: %s\n", first_text);
    fflush(stdout);
}
