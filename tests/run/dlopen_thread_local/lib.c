extern _Thread_local int late;
extern _Thread_local int in_object;
static int at_start;

__attribute__((constructor)) static void start(void) { at_start = late; }
int library_sum(int by) { return (late += by) + (in_object += by); }
int *library_start(void) { return &at_start; }
