#include "header.h"
int bump_in_other() { return bump(); }
int boxed_in_other(int x) { return Box<int>(x * 10).plus(20); }
