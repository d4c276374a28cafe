// about: fork in a loop and down a line; every process first-calls functions the others don't
// > 50 children added up to 51450
// > line of 8 returned 36
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "repeat.h"

#define FUNCTION(n)                                                                                \
    NOINLINE static int f##n(int x) { return x + n; }
TEN(FUNCTION, 100)
#define ENTRY(n) f##n,
static int (*const functions[])(int) = {TEN(ENTRY, 100)};

static int line(int depth) {
    if (depth == 0) return 0;
    pid_t pid = fork();
    if (pid == 0) _exit(line(depth - 1) + depth + functions[depth % 10](0) - 1000 - depth % 10);
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1000;
}

int main(void) {
    int total = 0;
    for (int i = 0; i < 50; i++) {
        int ends[2], sum, status;
        if (pipe(ends)) return 1;
        pid_t pid = fork();
        if (pid == 0) {
            sum = functions[i % 10](i);
            if (write(ends[1], &sum, sizeof sum) != sizeof sum) _exit(1);
            _exit(0);
        }
        if (read(ends[0], &sum, sizeof sum) != sizeof sum) return 2;
        total += sum;
        waitpid(pid, &status, 0);
        CHECK(status == 0);
        close(ends[0]);
        close(ends[1]);
        // The parent goes on compiling, too; number 5 it leaves to every fifth child.
        if (i % 10 != 5) functions[i % 10](0);
    }
    printf("50 children added up to %d\n", total);
    printf("line of 8 returned %d\n", line(8));
}
