// about: exit from deep inside: atexit handlers first call functions, flush, and keep the code
// exit: 7
// newline: no
// > deep
// > handler 3 calls a function for the first time: 6
// > handler 2 registers another
// > late handler
// > handler 1
// > on_exit 7 argument
// > destructor
// > unfinished line
#include <stdio.h>
#include <stdlib.h>

static int never_called_before(int x) { return x * 2; }
static void late(void) { puts("late handler"); }
static void one(void) { puts("handler 1"); }
static void two(void) {
    puts("handler 2 registers another");
    atexit(late);
}
static void three(void) {
    printf("handler 3 calls a function for the first time: %d\n", never_called_before(3));
}
static void status(int code, void *argument) { printf("on_exit %d %s\n", code, (char *)argument); }
__attribute__((destructor)) static void last(void) { printf("destructor\nunfinished line"); }

static void deeper(int n) {
    if (n > 0) deeper(n - 1);
    puts("deep");
    exit(7);
}
int main(void) {
    on_exit(status, "argument");
    atexit(one);
    atexit(two);
    atexit(three);
    deeper(100);
    return 1;
}
