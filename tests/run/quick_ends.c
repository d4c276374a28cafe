// about: _exit skips handlers and buffers; a child shows it for quick_exit and _Exit as well
// > _Exit 3
// > quick_exit 4 handler 1
// > exit 5
// exit: 6
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int *handled;
static void quick(void) { ++*handled; }
static void leave_exit(void) { _Exit(3); }
static void leave_quick(void) { quick_exit(4); }
static void leave_plainly(void) { exit(5 + 256); }
__attribute__((destructor)) static void destructor(void) { *handled += 100; }

static int run(void (*leave)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fputs(leave == leave_plainly ? "" : "lost", stdout);
        leave();
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
int main(void) {
    handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    at_quick_exit(quick);
    printf("_Exit %d\n", run(leave_exit));
    printf("quick_exit %d", run(leave_quick));
    printf(" handler %d\n", *handled);
    printf("exit %d\n", run(leave_plainly));
    fflush(stdout);
    printf("also lost");
    _exit(6);
}
