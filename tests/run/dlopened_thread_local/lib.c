extern _Thread_local int counter;
extern _Thread_local int alias;
extern _Thread_local _Alignas(64) char aligned[100];
int at_start;

__attribute__((constructor)) static void start(void) { at_start = counter; }
int library_counts(int by) { return counter += by; }
int *library_alias(void) { return &alias; }
char *library_aligned(void) { return &aligned[99]; }
