// about: no mapping is ever writable and executable, where debuggers can set breakpoints either
// run: --gdb
// > looked
#include "mappings.h"
