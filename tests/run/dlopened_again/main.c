// about: a library that is opened and closed again and again goes each time, and leaves nothing behind
// shared: plugin.c
// ldflags: -rdynamic
// > ok
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int begun;
int program_function(int x) { return begun += x; }
int plugin(int);

/* The plugin is there already: this is another one like it. */
static void copy(const char *path, int to) {
    int from = open(path, O_RDONLY);
    char buffer[4096];
    for (ssize_t size; (size = read(from, buffer, sizeof buffer)) > 0;)
        CHECK(write(to, buffer, (size_t)size) == size);
    close(from);
}

static int mappings(void) {
    FILE *file = fopen("/proc/self/maps", "r");
    int lines = 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

int main(void) {
    CHECK(begun == 0 || begun == 1);
    begun = 0;
    Dl_info info;
    CHECK(dladdr((void *)plugin, &info));
    int file = memfd_create("copy", 0), before = 0;
    copy(info.dli_fname, file);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    for (int round = 0; round < 40; round++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *same = dlopen(path, RTLD_NOW);
        CHECK(library && same == library && begun == 1);
        int (*found)(int) = (int (*)(int))dlsym(library, "plugin");
        CHECK(found && found != plugin && found(0) == 2);
        CHECK(!dlclose(same) && begun == 1);
        // It began with 1, and was called once.
        CHECK(!dlclose(library) && begun == -1 && !dlopen(path, RTLD_NOW | RTLD_NOLOAD));
        begun = 0;
        if (round == 4)
            before = mappings();
    }
    CHECK(mappings() < before + 20);
    begun = 2;
    puts("ok");
}
