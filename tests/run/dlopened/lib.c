#include <stdio.h>
int library_data = 11;
const char *const library_names[] = {"a", "b"};
int library_add(int a, int b) { return a + b; }
int library_call(int (*callback)(int), int x) { return callback(x); }
int (*library_function(void))(int, int) { return library_add; }
int *library_data_address(void) { return &library_data; }
int library_own(void) { return 2; }
__attribute__((constructor)) static void start(void) { puts("constructor of the library"); }
__attribute__((destructor)) static void end(void) { puts("destructor of the library"); }
