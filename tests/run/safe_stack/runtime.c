#include <stdlib.h>

enum { SIZE = 1 << 16 };
_Thread_local void *__safestack_unsafe_stack_ptr;
static _Thread_local char *start;

void start_thread(void) {
    start = aligned_alloc(16, SIZE);
    __safestack_unsafe_stack_ptr = start + SIZE;
}
int is_in_unsafe_stack(void *address) {
    return (char *)address >= start && (char *)address < start + SIZE;
}
