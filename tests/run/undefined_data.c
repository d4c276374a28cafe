// about: code that needs data nobody defines fails when it is first called, and names the data
// native: no, a linker wants all symbols
// exit: 127
// stderr: nobodys_data
// skip: eager compiles everything before main can print
// > printed before
#include "check.h"
extern int nobodys_data;
int *unused_pointer = &nobodys_data;
NOINLINE int reads(void) { return nobodys_data; }
int main(void) {
    puts("printed before");
    return reads();
}
