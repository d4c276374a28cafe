#include "entry.h"

ENTRY(only, "second", 4);
IN(constants) static const int constant = 4;
static int two(void) { return 2; }
IN(functions) static function *pointer = two;
