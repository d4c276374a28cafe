// about: a process made by a system call that nobody sees is told that it can make no first calls
// native: no, it may make them there
// skip: eager all is compiled
// stderr: first_of_child is called for the first time in a process that was made without fork
// > child 126, parent 5, vfork 7
#include "check.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

NOINLINE int first_of_child(int x) { return x + 1; }
NOINLINE int first_of_vfork(int x) { return x + 4; }
NOINLINE int first_of_parent(int x) { return x + 2; }

static long clone_unseen(void) {
    long result;
    register long fourth __asm__("r10") = 0, fifth __asm__("r8") = 0;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(SIGCHLD), "S"(0L), "d"(0L), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

int main(void) {
    int status, shared;
    pid_t child = (pid_t)clone_unseen();
    if (child == 0) _exit(first_of_child(2));
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    // Its memory is the parent's, where there is somebody to compile.
    child = vfork();
    if (child == 0) _exit(first_of_vfork(3));
    CHECK(waitpid(child, &shared, 0) == child && WIFEXITED(shared));
    printf("child %d, parent %d, vfork %d\n", WEXITSTATUS(status), first_of_parent(3), WEXITSTATUS(shared));
}
