// about: dlsym, dlopen and dladdr of libc and libm names agree with the names in the program
// > ok
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <string.h>
#include "check.h"

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
    puts("ok");
}
