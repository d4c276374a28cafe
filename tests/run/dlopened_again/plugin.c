#include <stdio.h>
int program_function(int x);
static int count;
__attribute__((constructor)) static void begin(void) { count = program_function(1); }
__attribute__((destructor)) static void end(void) { program_function(-count); }
int plugin(int x) { return program_function(x) + count++; }
