// about: a function that nobody defines is called again by what writes out what was printed before
// native: no, a linker wants all symbols
// exit: 127
// stderr: nobody_defines_this
// > written
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

void nobody_defines_this(void);

static ssize_t put(void *unused, const char *text, size_t size) {
    ssize_t written = write(1, text, size);
    nobody_defines_this();
    return written + (unused != NULL);
}

int main(void) {
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = put});
    fputs("written\n", stream);
    nobody_defines_this();
}
