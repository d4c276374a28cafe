// about: threads that open and close libraries at the same time
// shared: plugin.c
// ldflags: -rdynamic -pthread
// > ok
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 300 };

int program_function(int x) { return x * 10; }
int plugin(int);
static const char *path;

static void copy(int to) {
    int from = open(path, O_RDONLY);
    char buffer[4096];
    for (ssize_t size; (size = read(from, buffer, sizeof buffer)) > 0;)
        CHECK(write(to, buffer, (size_t)size) == size);
    close(from);
}

/* Each thread has a library of its own. */
static void *run(void *unused) {
    int file = memfd_create("copy", 0);
    copy(file);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    for (int round = 0; round < ROUNDS; round++) {
        void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
        CHECK(library);
        int (*found)(int) = (int (*)(int))dlsym(library, "plugin");
        CHECK(found && found != plugin && found(2) == 21);
        CHECK(!dlclose(library));
    }
    return unused;
}

int main(void) {
    Dl_info info;
    CHECK(dladdr((void *)plugin, &info));
    path = info.dli_fname;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&threads[i], NULL, run, NULL));
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    puts("ok");
}
