// about: first calls on stacks of PTHREAD_STACK_MIN, 64 KiB and, in a context, of 16 KiB
// > thread of the minimum 66
// > thread of 64 KiB 67
// > context of 64 KiB 68
// > context of 16 KiB 69
// > ping pong 10
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include "check.h"

// A chain of functions of its own for each stack, so that each call is a first call.
#define CHAIN(name)                                                                                \
    NOINLINE static int name##_d(int x) { return x + 1; }                                          \
    NOINLINE static int name##_c(int x) { return name##_d(x) + 1; }                                \
    NOINLINE static int name##_b(int x) { return name##_c(x) + 1; }                                \
    NOINLINE static int name##_a(int x) { return name##_b(x) + 1; }
CHAIN(minimum) CHAIN(small) CHAIN(context64) CHAIN(context16)

// A stack with an inaccessible page below it: an overflow is a crash, not a corruption.
static char *guarded_stack(size_t size) {
    size_t page = sysconf(_SC_PAGESIZE);
    char *memory =
        mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory, page, PROT_NONE);
    return memory + page;
}
static void *minimum_thread(void *x) { return (void *)(intptr_t)minimum_a((intptr_t)x); }
static void *small_thread(void *x) { return (void *)(intptr_t)small_a((intptr_t)x); }
static int on_thread(void *(*function)(void *), size_t size, int x) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, size)) return -1;
    pthread_create(&thread, &attributes, function, (void *)(intptr_t)x);
    pthread_join(thread, &result);
    return (intptr_t)result;
}

static ucontext_t main_context, context;
static int result;
static void context64(void) { result = context64_a(64); }
static void context16(void) { result = context16_a(65); }
static int on_context(void (*function)(void), size_t size) {
    getcontext(&context);
    context.uc_stack.ss_sp = guarded_stack(size);
    context.uc_stack.ss_size = size;
    context.uc_link = &main_context;
    makecontext(&context, function, 0);
    swapcontext(&main_context, &context);
    return result;
}
static int count;
static void pong(void) {
    while (1) {
        count++;
        swapcontext(&context, &main_context);
    }
}

int main(void) {
    printf("thread of the minimum %d\n", on_thread(minimum_thread, PTHREAD_STACK_MIN, 62));
    printf("thread of 64 KiB %d\n", on_thread(small_thread, 64 << 10, 63));
    printf("context of 64 KiB %d\n", on_context(context64, 64 << 10));
    printf("context of 16 KiB %d\n", on_context(context16, 16 << 10));
    getcontext(&context);
    context.uc_stack.ss_sp = guarded_stack(16 << 10);
    context.uc_stack.ss_size = 16 << 10;
    makecontext(&context, pong, 0);
    for (int i = 0; i < 10; i++) swapcontext(&main_context, &context);
    printf("ping pong %d\n", count);
}
