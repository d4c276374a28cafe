#include <stdio.h>

// Its destructor is registered with the handle of the program.
struct Static {
    Static() { puts("constructed"); }
    ~Static() { puts("destroyed"); }
};

extern "C" void object_static() { static Static once; }
