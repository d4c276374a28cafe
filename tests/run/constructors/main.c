// about: constructors and destructors by priority over all modules, before and after main
// > main.c 101
// > other.c 101
// > other.c 150
// > main.c 200
// > main.c default, argc 3
// > other.c default
// > main
// > atexit second
// > atexit first
// > other.c destructor default
// > main.c destructor default
// > main.c destructor 200
// > other.c destructor 150
// > other.c destructor 101
// > main.c destructor 101
// args: x y
#include <stdio.h>
#include <stdlib.h>

// Linkers sort by priority, then by the order of modules; destructors run the other way round.
__attribute__((constructor)) static void start(int argc, char **argv) {
    printf("main.c default, argc %d\n", argv[0] ? argc : -1);
}
__attribute__((constructor(200))) static void start200(void) { puts("main.c 200"); }
__attribute__((constructor(101))) static void start101(void) { puts("main.c 101"); }
__attribute__((destructor)) static void end(void) { puts("main.c destructor default"); }
__attribute__((destructor(200))) static void end200(void) { puts("main.c destructor 200"); }
__attribute__((destructor(101))) static void end101(void) { puts("main.c destructor 101"); }

static void first(void) { puts("atexit first"); }
static void second(void) { puts("atexit second"); }

int main(void) {
    puts("main");
    atexit(first);
    atexit(second);
    return 0;
}
