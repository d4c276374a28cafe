// about: code for a richer processor is not inlined into code for any, while the other way is fine
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// also: richer.c -mavx2
// also: reverse.c -mavx2
// stat: functions_inlined == 1 in O2
// > 1 2
// > 3
#include <stdio.h>
int richer(int);
int plain(int x) { return x + 1; }
int calls_plain(int);
int main(int argc, char **argv) {
    if (!__builtin_cpu_supports("avx2")) {
        puts("1 2\n3");
        return 0;
    }
    printf("%d %d\n", argc, richer(argc));
    printf("%d\n", calls_plain(argc));
}
