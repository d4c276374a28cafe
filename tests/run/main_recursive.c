// about: main is a function like others: it calls itself, and its address is taken
// args: x
// exit: 6
// > depth 0, again by pointer 1, again 2
#include <stdio.h>

int main(int argc, char **argv) {
    static int depth;
    static int (*volatile self)(int, char **) = main;
    printf(depth == 0 ? "depth 0" : depth == 1 ? ", again by pointer 1" : ", again 2\n");
    if (depth == 2) return 4;
    return (depth++ == 0 ? self(argc, argv) : main(argc, argv)) + 1;
}
