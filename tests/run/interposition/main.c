// about: a shared library that the program names uses the program's function and data, not its own
// shared: lib.c
// cflags: -O0
// cflags: -O2 -fsemantic-interposition
// > the library calls the program's hook 2, reads its data 20
// > its own hidden one stays 1
#include <stdio.h>

int hook_data = 20;
int hook(void) { return 2; }
int library_calls_hook(void);
int library_reads_data(void);
int library_calls_hidden(void);
int hidden_hook(void) { return 2; }

int main(void) {
    printf("the library calls the program's hook %d, reads its data %d\n", library_calls_hook(),
           library_reads_data());
    printf("its own hidden one stays %d\n", library_calls_hidden());
}
