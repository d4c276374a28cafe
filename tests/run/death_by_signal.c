// about: a signal that kills the program kills it with that very signal, and output stands
// signal: SIGSEGV
// > flushed
#include <stdio.h>
#include <string.h>
static void crash(volatile int *where) { *where = 1; }
int main(void) {
    puts("flushed");
    fflush(stdout);
    printf("never seen");
    crash(NULL);
}
