// about: the process is as a native program finds it: descriptors, children, timers, directories
// > ok
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

NOINLINE static int after_close(int x) { return x + 1; }
NOINLINE static int after_chdir(int x) { return x + 2; }

int main(void) {
    CHECK(getpid() == syscall(SYS_gettid));
    CHECK(wait(NULL) == -1 && errno == ECHILD);
    struct itimerval timer;
    CHECK(getitimer(ITIMER_REAL, &timer) == 0 && timer.it_value.tv_sec == 0 &&
          timer.it_value.tv_usec == 0);
    CHECK(alarm(0) == 0);

    // The lowest descriptor that is free.
    int descriptor = open("/dev/null", O_RDONLY);
    CHECK(descriptor == 3);
    CHECK(dup2(1, 100) == 100 && close(100) == 0);
    close_range(3, ~0U, 0);
    CHECK(after_close(1) == 2);
    for (int i = 3; i < 20000; i++) close(i);
    CHECK(open("/dev/null", O_RDONLY) == 3);

    char before[4096], after[4096];
    CHECK(getcwd(before, sizeof before) != NULL);
    CHECK(chdir("/") == 0);
    CHECK(after_chdir(1) == 3);
    CHECK(strcmp(getcwd(after, sizeof after), "/") == 0);
    errno = 77;
    CHECK(after_close(2) == 3 && errno == 77);
    puts("ok");
}
