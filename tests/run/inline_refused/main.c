// about: what may be replaced, does not want to, or cannot be part of another function stays one of its own
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined == 0
// > weak 1, replaced 20
// > noinline 3, optnone 4
// > variable arguments 6
// > setjmp 7
// > label 8
// > naked 9
// > large 4950
#include <stdio.h>
int weak(void);
int replaced(void);
int noinline_function(int);
int optnone_function(int);
int total(int count, ...);
int jumps(int);
int labels(int);
int naked(void);
int large(int, const int *);
int main(int argc, char **argv) {
    static int numbers[100];
    for (int i = 0; i < 100; i++) numbers[i] = i * argc;
    printf("weak %d, replaced %d\n", weak(), replaced());
    printf("noinline %d, optnone %d\n", noinline_function(argc), optnone_function(argc));
    printf("variable arguments %d\n", total(3, 1, 2, 2 + argc));
    printf("setjmp %d\n", jumps(argc));
    printf("label %d\n", labels(argc));
    printf("naked %d\n", naked());
    printf("large %d\n", large(100, numbers));
}
