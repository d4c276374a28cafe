const char *overridden(void) { return "strong"; }
const char *here(void) { return "strong"; }
__attribute__((weak)) const char *two_weak(void) { return "strong.c"; }
int weak_data = 2;
int *weak_data_in_strong(void) { return &weak_data; }
