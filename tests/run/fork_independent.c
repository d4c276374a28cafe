// about: parent and child share no memory after fork, and each compiles for itself
// > child: global 2, static 12, first call 103
// > parent: global 1, static 11, child exited 42
// > parent's first call 204, the child's function 101
// > own address space 1
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

int global = 1;
static int counted = 11;
static int in_bss[1000];
static const char *volatile text = "before";
NOINLINE static int child_only(int x) { return x + 100; }
NOINLINE static int parent_only(int x) { return x + 200; }
NOINLINE static int both(int x) { return x * 2; }

static NOINLINE void child(void) {
    global++;
    counted++;
    in_bss[500] = 1;
    text = "child";
    CHECK(both(4) == 8);
    printf("child: global %d, static %d, first call %d\n", global, counted, child_only(3));
    exit(42);
}
int main(void) {
    fflush(stdout);
    int ends[2], status;
    if (pipe(ends)) return 1;
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        // Not before the parent has compiled what both of them call.
        if (read(ends[0], &byte, 1) == 1) child();
        _exit(1);
    }
    CHECK(both(5) == 10);
    if (write(ends[1], "x", 1) != 1) return 2;
    waitpid(pid, &status, 0);
    printf("parent: global %d, static %d, child exited %d\n", global, counted, WEXITSTATUS(status));
    printf("parent's first call %d, the child's function %d\n", parent_only(4), child_only(1));
    printf("own address space %d\n", in_bss[500] == 0 && text[0] == 'b');
}
