#include <string.h>
int plain;
char growing[1000];
int defined = 42;
char aligned[8] __attribute__((aligned(256)));
void set_in_other(void) {
    plain = 5;
    memset(growing, 9, sizeof growing);
    growing[0] = 1;
}
int grown_in_other(int i) { return growing[i]; }
void *aligned_in_other(void) { return aligned; }
