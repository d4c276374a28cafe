// A program with one thing of each kind that the tools tell apart; goes with second.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int second_add(int x, int y);
int nobody_defines_this(int x);
extern int second_data;

int counter = 1;
extern int other_name __attribute__((alias("counter")));

static int twin(int x) { return x + 1; }

int never_called(int x) { return twin(x); }

int only_in_child(int x) { return x - 1; }

int weakly_defined(int x) __attribute__((weak));
int weakly_defined(int x) { return x; }

__attribute__((constructor)) static void before_main(void) { counter += 1; }

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static int act(const char *what) {
    if (!strcmp(what, "undefined"))
        return nobody_defines_this(1);
    if (!strcmp(what, "move"))
        return chdir("/");
    if (!strcmp(what, "fork")) {
        pid_t child = fork();
        if (!child)
            exit(only_in_child(1));
        printf("%d\n", child);
        return waitpid(child, NULL, 0) != child;
    }
    return 0;
}

int main(int argc, char **argv) {
    int values[] = {3, 1, 2};
    qsort(values, 3, sizeof *values, compare);
    printf("%d\n", getpid());
    printf("%d %d\n", second_add(values[0], second_data), weakly_defined(twin(counter)));
    second_add(1, 1);
    fflush(stdout);
    return argc > 1 ? act(argv[1]) : 0;
}
