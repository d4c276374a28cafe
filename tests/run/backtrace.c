// about: the unwinder walks lazily compiled frames, all of them, also in a handler and by backtrace
// cflags: -O0 -fexceptions
// cflags: -O2 -fexceptions
// > frames grew by 10, functions distinct 1
// > backtrace agrees 1
// > from a handler 1
#include <execinfo.h>
#include <signal.h>
#include <unwind.h>
#include "check.h"

typedef struct {
    int frames;
    void *last;
} trace;
static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument) {
    trace *t = argument;
    t->frames++;
    t->last = (void *)_Unwind_GetIP(context);
    return _URC_NO_REASON;
}
NOINLINE static int count_frames(void) {
    trace t = {0, NULL};
    _Unwind_Backtrace(step, &t);
    return t.frames;
}
// The barriers keep the calls from becoming jumps.
NOINLINE static int even(int n);
NOINLINE static int odd(int n) {
    int frames = even(n - 1);
    __asm__ volatile("" : "+r"(frames));
    return frames;
}
NOINLINE static int even(int n) {
    int frames = n == 0 ? count_frames() : odd(n - 1);
    __asm__ volatile("" : "+r"(frames));
    return frames;
}
NOINLINE static int by_backtrace(void) {
    void *addresses[200];
    int frames = backtrace(addresses, 200);
    __asm__ volatile("" : "+r"(frames));
    return frames;
}
static volatile int in_handler;
static void handler(int number) {
    (void)number;
    in_handler = count_frames();
}
int main(void) {
    int shallow = even(0), deep = even(10);
    printf("frames grew by %d, functions distinct %d\n", deep - shallow,
           (void *)even != (void *)odd);
    int frames = by_backtrace(), unwound = count_frames();
    // Whether its own frame counts is the one difference.
    printf("backtrace agrees %d\n", abs(frames - unwound) <= 1);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    // The handler, the signal frame and the frames of raise are on top of ours.
    printf("from a handler %d\n", in_handler > shallow);
}
