// about: libraries see no handlers of signals but the program's
// shared: lib.c
// cflags: -O0
// cflags: -O2
// > handled already: 0
// > handled before: 0
// > handled: yes
// > handled already: 1
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

int handled_already(void);
int handled_before(int number, void (*handler)(int));

static jmp_buf outside;

static void handler(int number) { longjmp(outside, number); }

int main(void) {
    printf("handled already: %d\n", handled_already());
    printf("handled before: %d\n", handled_before(SIGFPE, handler));
    int number = setjmp(outside);
    if (!number) raise(SIGFPE);
    printf("handled: %s\n", number == SIGFPE ? "yes" : "no");
    printf("handled already: %d\n", handled_already());
}
