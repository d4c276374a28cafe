#include "inline.h"
int next_in_other() { return next(); }
const void *addresses_in_other(int which) {
    switch (which) {
    case 0: return (void *)&next;
    case 1: return &counter();
    case 2: return &inline_variable;
    default: return (void *)&twice<int>;
    }
}
