#include "entry.h"

ENTRY(last, "bitcode2", 5);
