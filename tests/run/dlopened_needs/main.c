// about: a shared library that needs functions and data of the program
// shared: lib.c
// > 21 in the program, weak 1
// > data 9 9
#include <stdio.h>

int library_calls(int x);
int library_weak(void);
int library_adds(int by);
int program_data = 5;
int program_function(int x) { return x * 3; }
int program_weak(void) { return 1; }

int main(void) {
    printf("%d in the program, weak %d\n", library_calls(7), library_weak());
    int sum = library_adds(4);
    printf("data %d %d\n", sum, program_data);
}
