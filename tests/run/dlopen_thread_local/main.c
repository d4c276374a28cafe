// about: a library that the program loads shares its thread-local variables, which threads have used
// shared: lib.c
// objects: object.c
// cflags: -O0 -fPIC
// cflags: -O2
// ldflags: -pthread -rdynamic
// > constructor 1, sum 70
// > thread 75, main 70
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

extern _Thread_local int in_object;
int *library_start(void);
int (*sum)(int);
_Thread_local int late = 0;

/* The library is there already: this is another one like it. */
static void *load_copy(void) {
    Dl_info info;
    CHECK(dladdr((void *)library_start, &info));
    int from = open(info.dli_fname, O_RDONLY), to = memfd_create("copy", 0);
    char buffer[4096];
    for (ssize_t size; (size = read(from, buffer, sizeof buffer)) > 0;)
        CHECK(write(to, buffer, (size_t)size) == size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", to);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        puts(dlerror());
    return library;
}

static void *thread(void *number) {
    late = 20;
    in_object = 50;
    *(int *)number = sum(2) + late - 21;
    return 0;
}

int main(void) {
    late = 1;
    in_object = 9;
    void *library = load_copy();
    if (!library)
        return 1;
    sum = (int (*)(int))dlsym(library, "library_sum");
    int *start = ((int *(*)(void))dlsym(library, "library_start"))();
    CHECK(start != library_start() && dlsym(RTLD_DEFAULT, "late") == &late);
    printf("constructor %d, sum %d\n", *start, sum(30));
    int there;
    pthread_t id;
    pthread_create(&id, 0, thread, &there);
    pthread_join(id, 0);
    printf("thread %d, main %d\n", there, late + in_object);
}
