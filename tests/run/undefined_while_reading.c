// about: a call of a function that nobody defines ends the process, though another thread waits for input
// native: no, a linker wants all symbols
// exit: 127
// stderr: nobody_defines_this
// ldflags: -pthread
// newline: no
// > printed
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

void nobody_defines_this(void);
static int ends[2];

/* It locks the stream for as long as nothing comes. */
static void *read_input(void *unused) {
    getchar();
    return unused;
}

int main(void) {
    pthread_t thread;
    if (pipe(ends) || dup2(ends[0], 0) != 0)
        return 1;
    printf("printed");
    pthread_create(&thread, NULL, read_input, NULL);
    while (!ftrylockfile(stdin)) {
        funlockfile(stdin);
        usleep(1000);
    }
    nobody_defines_this();
}
