// about: constants, literals and code cannot be written to, and data cannot be executed
// > faults: constant 1, literal 1, pointer table 1, code 1, data as code 1, null 1
#include <setjmp.h>
#include <signal.h>
#include "check.h"

static sigjmp_buf recovery;
static void handler(int number) { siglongjmp(recovery, number); }

static const int constant = 5;
static const char *const literal = "literal";
static const void *const pointers[] = {&constant, &pointers};
static unsigned char return_instruction[16] = {0xc3};

NOINLINE static int write_faults(const volatile void *address) {
    __asm__("" : "+r"(address));
    if (sigsetjmp(recovery, 1)) return 1;
    *(volatile char *)address = *(volatile char *)address;
    return 0;
}
NOINLINE static int call_faults(void *address) {
    __asm__("" : "+r"(address));
    if (sigsetjmp(recovery, 1)) return 1;
    ((void (*)(void))address)();
    return 0;
}
NOINLINE static int null_faults(void) {
    if (sigsetjmp(recovery, 1)) return 1;
    void (*volatile nothing)(void) = NULL;
    nothing();
    return 0;
}

int main(void) {
    signal(SIGSEGV, handler);
    printf("faults: constant %d, literal %d, ", write_faults(&constant), write_faults(literal));
    printf("pointer table %d, ", write_faults(pointers));
    int code = write_faults((void *)write_faults);
    printf("code %d, data as code %d, ", code, call_faults(return_instruction));
    printf("null %d\n", null_faults());
}
