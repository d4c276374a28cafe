// about: modules that declare one function with different types, and one datum with different sizes
// > 3 5 7
#include <stdio.h>
int add();
extern int numbers[];
void *opaque(void);
int main(void) { printf("%d %d %d\n", add(1, 2), numbers[2], *(int *)opaque()); }
