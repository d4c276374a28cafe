#define _GNU_SOURCE
#include <dlfcn.h>

extern int program_data;
int program_function(int x);
int own(void) { return 100; }

int plugin(int by) {
    /* It is not in the scope that all share: only who asks from here finds it. */
    int (*found)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "own");
    int *late = dlsym(RTLD_DEFAULT, "only_looked_up");
    return program_function(program_data += by) + (found ? found() : -1) + (late ? *late : -1);
}
