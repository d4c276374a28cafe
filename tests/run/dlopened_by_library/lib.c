#define _GNU_SOURCE
#include <dlfcn.h>

void *library_open(const char *file) { return dlopen(file, RTLD_NOW | RTLD_LOCAL); }
void *library_open_in(long namespace, const char *file) {
    return dlmopen(namespace, file, RTLD_NOW);
}
void *library_version(const char *name, const char *version) {
    return dlvsym(RTLD_DEFAULT, name, version);
}
void *library_find(void *handle, const char *name) { return dlsym(handle, name); }
void *library_default(const char *name) { return dlsym(RTLD_DEFAULT, name); }
void *library_program(const char *name) { return dlsym(dlopen(0, RTLD_LAZY), name); }
int library_knows(void *address) {
    Dl_info info;
    return dladdr(address, &info) != 0;
}
int library_knows_more(void *address) {
    Dl_info info;
    void *map = 0;
    return dladdr1(address, &info, &map, RTLD_DL_LINKMAP) != 0 && map == dlopen(0, RTLD_LAZY);
}
/* In front of the C library's, which it calls. */
long a64l(const char *text) {
    long (*next)(const char *) = (long (*)(const char *))dlsym(RTLD_NEXT, "a64l");
    return next ? next(text) + 1 : -1;
}
int shadowed(void) { return 1; }
