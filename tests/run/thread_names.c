// about: the system calls the main thread by the program's name, and others so that it starts
// run: --argv0 folder/a_program_of_a_long_name
// cflags: -O2
// ldflags: -pthread
// > ok
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include "check.h"

/* The first 15 bytes of what follows the last slash. */
static char expected[16], early[16];

static void *check(void *unused) {
    char name[16], text[32] = "";
    CHECK(prctl(PR_GET_NAME, name) == 0 && !strcmp(name, expected));
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && !strcmp(name, expected));
    FILE *file = fopen("/proc/thread-self/comm", "r");
    CHECK(file && fgets(text, sizeof text, file));
    fclose(file);
    text[strcspn(text, "\n")] = 0;
    CHECK(!strcmp(text, expected));
    return unused;
}

__attribute__((constructor)) static void begin(void) { prctl(PR_GET_NAME, early); }

int main(int count, char **arguments) {
    CHECK(count == 1);
    const char *slash = strrchr(arguments[0], '/');
    strncpy(expected, slash ? slash + 1 : arguments[0], sizeof expected - 1);
    CHECK(!strcmp(early, expected));
    pthread_t thread;
    check(NULL);
    CHECK(!pthread_create(&thread, NULL, check, NULL) && !pthread_join(thread, NULL));
    CHECK(!prctl(PR_SET_NAME, "another"));
    strcpy(expected, "another");
    check(NULL);
    puts("ok");
}
