// about: dlvsym, dladdr1 and dlmopen know the program, and versions and namespaces of libraries
// objects: versions.c
// ldflags: -rdynamic
// > ok
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <string.h>
#include "check.h"

int new_version(int), old_version(int);
NOINLINE int own_function(int x) { return x * 3; }
// In place of the C library's, which comes next.
int rand(void) { return 77; }

typedef int function(int);
typedef double number(double);

NOINLINE static void check_versions(void) {
    void *program = dlopen(NULL, RTLD_NOW);
    CHECK(dlvsym(RTLD_DEFAULT, "changed", "V1") == (void *)old_version);
    CHECK(dlvsym(program, "changed", "V2") == (void *)new_version);
    CHECK(((function *)dlvsym(program, "changed", "V1"))(10) == 11);
    CHECK(!dlvsym(program, "changed", "V3") && dlerror());
    CHECK(!dlvsym(program, "own_function", "V1"));
    int (*next)(void) = (int (*)(void))dlvsym(RTLD_NEXT, "rand", "GLIBC_2.2.5");
    CHECK(next && next != rand);
    CHECK(!dlvsym(RTLD_NEXT, "rand", "V1") && !dlvsym(RTLD_NEXT, "changed", "V1"));
    // Of the last answer, there is no error.
    CHECK(dlsym(RTLD_DEFAULT, "own_function") == (void *)own_function && !dlerror());
}

NOINLINE static void check_places(void) {
    Dl_info info;
    ElfW(Sym) *symbol = NULL;
    struct link_map *map = NULL;
    CHECK(own_function(1) == 3);
    /* Where it runs from, which need not be its address. */
    CHECK(dladdr1(__builtin_extract_return_addr(__builtin_return_address(0)), &info,
                  (void **)&symbol, RTLD_DL_SYMENT));
    CHECK(!strcmp(info.dli_sname, "main") && symbol && symbol->st_size > 0);
    CHECK(ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF);
    CHECK((char *)info.dli_fbase + symbol->st_value == info.dli_saddr);
    CHECK(dladdr1(&info, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 && !map);
    CHECK(dladdr1((void *)own_function, &info, (void **)&map, RTLD_DL_LINKMAP));
    CHECK(map && map == dlopen(NULL, RTLD_NOW) && !*map->l_name && map->l_next);
    CHECK(dladdr1((void *)puts, &info, (void **)&map, RTLD_DL_LINKMAP));
    CHECK(strstr(map->l_name, "libc"));
}

NOINLINE static void check_namespaces(void) {
    number *here = (number *)dlsym(dlopen("libm.so.6", RTLD_NOW), "cos");
    void *same = dlmopen(LM_ID_BASE, "libm.so.6", RTLD_NOW);
    CHECK(same && (number *)dlsym(same, "cos") == here);
    CHECK(dlsym(dlmopen(LM_ID_BASE, NULL, RTLD_NOW), "own_function") == (void *)own_function);
    void *other = dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW);
    CHECK(other && other != same);
    number *there = (number *)dlsym(other, "cos");
    CHECK(there && there != here && there(0) == 1);
    CHECK(!dlsym(other, "own_function") && dlerror());
    CHECK(!dlmopen(LM_ID_BASE, "no_such_library.so", RTLD_NOW) && dlerror());
}

int main(void) {
    check_versions();
    check_places();
    check_namespaces();
    puts("ok");
}
