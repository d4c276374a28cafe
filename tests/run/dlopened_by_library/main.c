// about: a library that calls dlopen, dlsym, dladdr and the like finds what the program defines
// shared: lib.c plugin.c
// cflags: -O0 -fPIC
// cflags: -O2
// ldflags: -pthread -rdynamic
// > shadowed 7, next 5
// > plugin 10160, data 6
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *library_open(const char *file);
void *library_open_in(long namespace, const char *file);
void *library_version(const char *name, const char *version);
void *library_find(void *handle, const char *name);
void *library_default(const char *name);
void *library_program(const char *name);
int library_knows(void *address);
int library_knows_more(void *address);
int own(void);

int program_data = 4;
int only_looked_up = 10000;
_Thread_local int in_thread = 9;
int program_function(int x) { return x * 10; }
int shadowed(void) { return 7; }
int rand(void) { return 77; }

/* The plugin is there already: this is another one like it. */
static void copy(const char *path, char *name, size_t size) {
    int from = open(path, O_RDONLY), to = memfd_create("copy", 0);
    char buffer[4096];
    for (ssize_t size; (size = read(from, buffer, sizeof buffer)) > 0;)
        CHECK(write(to, buffer, (size_t)size) == size);
    close(from);
    snprintf(name, size, "/proc/self/fd/%d", to);
}

int main(void) {
    CHECK(library_default("program_data") == &program_data);
    CHECK(library_default("program_function") == (void *)program_function);
    CHECK(library_default("in_thread") == &in_thread);
    CHECK(library_default("rand") == (void *)rand);
    CHECK(library_program("only_looked_up") == &only_looked_up);
    CHECK(library_default("no_such_name") == NULL && dlerror() != NULL);
    CHECK(library_knows(&program_data) && library_knows_more(&program_data));
    CHECK(library_version("rand", "GLIBC_2.2.5") != (void *)rand);
    int (*first)(void) = (int (*)(void))library_default("shadowed");
    printf("shadowed %d, next %ld\n", first(), a64l("2"));

    Dl_info info;
    CHECK(dladdr((void *)own, &info));
    char path[64], other[64];
    copy(info.dli_fname, path, sizeof path);
    copy(info.dli_fname, other, sizeof other);
    void *library = library_open(path);
    if (!library)
        puts(dlerror());
    int (*plugin)(int) = (int (*)(int))library_find(library, "plugin");
    printf("plugin %d, data %d\n", plugin(2), program_data);
    void *another = library_open_in(LM_ID_BASE, other);
    CHECK(another && another != library && library_open_in(LM_ID_BASE, path) == library);
    CHECK(!library_open_in(LM_ID_NEWLM, path) && strstr(dlerror(), "program_"));
}
