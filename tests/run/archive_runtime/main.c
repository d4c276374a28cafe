// about: a function that only generated code calls, and that no library has, comes from an archive
// archive: yes
// objects: runtime.c
// cflags: -O0
// cflags: -O2
// > 1.5 and 3 make 4.5
#include <stdio.h>

__attribute__((noinline)) static float sum(float a, float b) {
    __bf16 x = (__bf16)a, y = (__bf16)b;
    return (float)(__bf16)(x + y);
}

int main(int argc, char **argv) {
    (void)argv;
    printf("1.5 and 3 make %g\n", sum(1.5f * argc, 3));
    return 0;
}
