#pragma once

// Looks at all mappings of the process while four threads make first calls, and in a forked child.
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "repeat.h"

enum { THREADS = 4, CALLS = 100, MOST_RANGES = 4096 };

#define FUNCTION(n) NOINLINE static int lazy##n(int x) { return x + n; }
HUNDRED(FUNCTION, 1) HUNDRED(FUNCTION, 2) HUNDRED(FUNCTION, 3) HUNDRED(FUNCTION, 4)
HUNDRED(FUNCTION, 5)
#define ENTRY(n) lazy##n,
static int (*const lazy[(THREADS + 1) * CALLS])(int) = {
    HUNDRED(ENTRY, 1) HUNDRED(ENTRY, 2) HUNDRED(ENTRY, 3) HUNDRED(ENTRY, 4) HUNDRED(ENTRY, 5)};

/// Addresses that were seen with a permission, at any time.
struct seen {
    unsigned long start[MOST_RANGES], end[MOST_RANGES];
    int count;
};
static struct seen writable, executable;
static int looks;

static int overlaps(const struct seen *seen, unsigned long start, unsigned long end) {
    for (int i = 0; i < seen->count; i++)
        if (start < seen->end[i] && seen->start[i] < end) return 1;
    return 0;
}
static void note(struct seen *seen, unsigned long start, unsigned long end) {
    for (int i = 0; i < seen->count; i++)
        if (seen->start[i] <= start && end <= seen->end[i]) return;
    CHECK(seen->count < MOST_RANGES);
    seen->start[seen->count] = start;
    seen->end[seen->count++] = end;
}

/// Checks every mapping there is now, by itself and against all that were there before.
static void look(void) {
    static char text[1 << 20];
    int file = open("/proc/self/maps", O_RDONLY);
    long size = 0, got;
    while ((got = read(file, text + size, sizeof text - 1 - size)) > 0) size += got;
    close(file);
    CHECK(size > 0 && size < (long)sizeof text - 1);
    text[size] = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        char permissions[5];
        CHECK(sscanf(line, "%lx-%lx %4s", &start, &end, permissions) == 3);
        int is_writable = permissions[1] == 'w', is_executable = permissions[2] == 'x';
        if (is_writable && is_executable) printf("both: %s\n", line);
        if (is_writable && overlaps(&executable, start, end)) printf("was executable: %s\n", line);
        if (is_executable && overlaps(&writable, start, end)) printf("was writable: %s\n", line);
        if (is_writable) note(&writable, start, end);
        if (is_executable) note(&executable, start, end);
    }
    looks++;
}

static atomic_int running = THREADS;
static void *call(void *first) {
    for (long i = (long)first; i < (long)first + CALLS; i++) {
        CHECK(lazy[i](1) > 100);
        usleep(100);
    }
    running--;
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    look();
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, call, (void *)(i * CALLS));
    do look();
    while (running > 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    pid_t child = fork();
    for (int i = THREADS * CALLS; i < (THREADS + 1) * CALLS; i++) {
        if (i % 10 == 0) look();
        CHECK(lazy[i](1) > 100);
    }
    look();
    fflush(stdout);
    if (child == 0) _exit(executable.count > 0 && writable.count > 0 ? 3 : 4);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    puts(looks > 12 ? "looked" : "looked too seldom");
}
