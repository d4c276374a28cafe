// about: vfork and exec, posix_spawn, system and popen, pthread_atfork
// > echo one
// > spawned 3
// > system 5
// > popen said hello
// > atfork prepare parent, child saw 1
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static int prepared, in_parent, in_child;
static void prepare(void) { prepared++; }
static void parent(void) { in_parent++; }
static void child(void) { in_child++; }
extern char **environ;
NOINLINE static void borrowed(int x) { prepared = x - 3; }

int main(void) {
    int status;
    fflush(stdout);
    pid_t pid = vfork();
    if (pid == 0) {
        // A first call in a process that shares its parent's memory.
        borrowed(3);
        execl("/bin/echo", "echo", "echo one", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    CHECK(status == 0);

    char *const command[] = {"sh", "-c", "exit 3", NULL};
    posix_spawn(&pid, "/bin/sh", NULL, NULL, command, environ);
    waitpid(pid, &status, 0);
    printf("spawned %d\n", WEXITSTATUS(status));
    printf("system %d\n", WEXITSTATUS(system("exit 5")));
    FILE *pipe = popen("echo hello", "r");
    char line[32];
    printf("popen said %s", fgets(line, sizeof line, pipe));
    pclose(pipe);

    pthread_atfork(prepare, parent, child);
    fflush(stdout);
    pid = fork();
    if (pid == 0) _exit(in_child);
    waitpid(pid, &status, 0);
    printf("atfork %s %s, child saw %d\n", prepared == 1 ? "prepare" : "?",
           in_parent == 1 ? "parent" : "?", WEXITSTATUS(status));
}
