_Thread_local long in_other = 1L << 40;
_Thread_local char large_in_other[5000];
extern _Thread_local int initialized;
static _Thread_local int local = 8;
static _Thread_local int calls;
int next_in_other(void) { return ++calls; }
int *initialized_in_other(void) { return &initialized; }
int *local_in_other(void) { return &local; }
