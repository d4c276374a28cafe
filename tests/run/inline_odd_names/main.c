// about: one name can mean what is private here and what all see there; assembly keeps its meaning
// cflags: -O1
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined >= 3 in O2
// > name 1, of all 50, in assembly 1
// > assembly there 70
// > private functions 10 20
// > absent 0
// > alias 5
#include <stdio.h>
static int name = 1;
int name_of_all(void);
int assembly_there(void);
int helper_there(int);
int absent_there(void);
int alias_there(void);
extern int data;
__attribute__((noinline)) static int helper(int x) { return x * 10; }
__attribute__((noinline)) static int in_assembly(void) {
    int value;
    __asm__ volatile("movl name(%%rip), %0" : "=r"(value) : : "memory");
    return value;
}
int main(int argc, char **argv) {
    printf("name %d, of all %d, in assembly %d\n", name, name_of_all(), in_assembly());
    printf("assembly there %d\n", assembly_there());
    printf("private functions %d %d\n", helper(argc), helper_there(argc));
    printf("absent %d\n", absent_there());
    data = 3;
    int there = alias_there();
    printf("alias %d\n", there + data - argc * 3);
    name += argc;
}
