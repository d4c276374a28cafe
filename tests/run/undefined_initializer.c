// about: an initializer that names data nobody defines is harmless while nobody uses it
// native: no, a linker wants all symbols
// > 7
#include "check.h"
extern int nobodys_data;
extern void nobodys_function(void);
struct {
    int number;
    int *pointer;
} unused = {1, &nobodys_data};
static struct {
    int number;
    void (*pointer)(void);
} used = {7, nobodys_function};
NOINLINE int *unused_function(void) { return unused.pointer; }
int main(void) {
    int *volatile number = &used.number;
    printf("%d\n", *number);
}
