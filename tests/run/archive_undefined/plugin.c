#include <stdio.h>

extern int registered;
int plugin;
__attribute__((constructor)) static void begin(void) {
    puts("the plugin registers itself");
    registered++;
}
