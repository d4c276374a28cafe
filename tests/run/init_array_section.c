// about: pointers that the program itself puts into .init_array and .fini_array
// > from .preinit_array
// > from .init_array.100
// > from .init_array
// > main
// > from .fini_array
#include <stdio.h>

typedef void function(void);
#define IN(name) __attribute__((section(name), used)) static function *const
static void early(void) { puts("from .preinit_array"); }
static void first(void) { puts("from .init_array.100"); }
static void start(void) { puts("from .init_array"); }
static void end(void) { puts("from .fini_array"); }
IN(".preinit_array") early_pointer = early;
IN(".init_array") start_pointer = start;
IN(".init_array.00100") first_pointer = first;
IN(".fini_array") end_pointer = end;
int main(void) { puts("main"); }
