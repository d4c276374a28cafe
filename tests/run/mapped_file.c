// about: a file that /proc/self/maps names for code is a file with that code in it
// > answer 42
// > read
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

enum { BYTES = 16 };

NOINLINE static int answer(void) { return 42; }
static int (*volatile pointer)(void) = answer;

/// Whether the file that is named for the mapping of `code`, if there is such a file, has other bytes there.
static int is_elsewhere(const void *code) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096], path[4096];
    unsigned long start, end, offset, at = (unsigned long)code;
    int differs = 0;
    CHECK(maps);
    while (fgets(line, sizeof line, maps)) {
        int fields = sscanf(line, "%lx-%lx %*s %lx %*s %*d %s", &start, &end, &offset, path);
        if (fields != 4 || at < start || at >= end) continue;
        char bytes[BYTES];
        int file = open(path, O_RDONLY);
        if (file < 0) continue;
        long got = pread(file, bytes, BYTES, offset + (at - start));
        differs |= got != BYTES || memcmp(bytes, code, BYTES) != 0;
        close(file);
    }
    fclose(maps);
    return differs;
}

int main(void) {
    printf("answer %d\n", pointer());
    puts(is_elsewhere((const void *)pointer) ? "other bytes" : "read");
    return 0;
}
