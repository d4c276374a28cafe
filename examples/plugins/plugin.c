// A plugin. Build it with: clang-22 -O1 -c -emit-llvm plugin.c -o plugin.bc
#include <stdio.h>

// The host's.
void host_say(const char *text);

// Stays what it is when another version of the plugin is loaded; what is `static` starts anew.
long total = 0;

long step(long tick) {
    total += 1;
    char text[64];
    snprintf(text, sizeof text, "tick %ld, total %ld", tick, total);
    host_say(text);
    return total;
}
