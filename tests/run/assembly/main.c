// about: assembled functions: unwind tables, jump tables, sections, local and weak symbols
// > asm_sum 55
// > table 20 10
// > calls C: 43
// > weak 1, absolute 4660, string from asm
#include <stdio.h>
int asm_sum(int n);
int asm_table(int i);
int asm_calls_c(int x);
int asm_weak(void);
extern const char asm_string[];
extern char asm_absolute[];
int c_function(int x) { return x + 1; }
int main(void) {
    printf("asm_sum %d\n", asm_sum(10));
    printf("table %d %d\n", asm_table(1), asm_table(0));
    printf("calls C: %d\n", asm_calls_c(21));
    printf("weak %d, absolute %ld, string %s\n", asm_weak(), (long)asm_absolute, asm_string);
}
