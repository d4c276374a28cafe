// about: dlsym, dlopen and dladdr agree with the names in the program, its own and libraries'
// ldflags: -rdynamic
// > ok
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <string.h>
#include "check.h"

int own_data = 4;
NOINLINE int own_function(int x) { return x + own_data; }
// In place of the C library's, which comes next.
int rand(void) { return 77; }

int main(void) {
    size_t (*volatile length)(const char *) = strlen;
    void *found = dlsym(RTLD_DEFAULT, "strlen");
    CHECK(found != NULL && found == (void *)length);
    CHECK(((size_t (*)(const char *))found)("four") == 4);
    CHECK(dlsym(RTLD_DEFAULT, "there_is_no_such_function") == NULL);

    void *library = dlopen("libm.so.6", RTLD_NOW);
    CHECK(library != NULL);
    double (*cosine)(double) = (double (*)(double))dlsym(library, "cos");
    CHECK(cosine && cosine(0) == 1);
    dlclose(library);

    Dl_info info;
    CHECK(dladdr((void *)puts, &info) != 0 && info.dli_sname != NULL &&
          strstr(info.dli_fname, "libc"));
    CHECK(dlsym(RTLD_DEFAULT, "stdout") == &stdout);
    int (*own)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "own_function");
    CHECK(own == own_function && own(1) == 5);
    void *program = dlopen(NULL, RTLD_NOW);
    CHECK(dlsym(program, "own_data") == &own_data);
    int (*next)(void) = (int (*)(void))dlsym(RTLD_NEXT, "rand");
    CHECK(next && next != rand && dlsym(RTLD_DEFAULT, "rand") == (void *)rand);
    CHECK(dlsym(RTLD_NEXT, "own_function") == NULL);
    puts("ok");
}
