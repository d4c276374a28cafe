// about: a trap instruction kills by SIGILL
// signal: SIGILL
int main(void) { __builtin_trap(); }
