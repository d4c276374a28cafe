// about: what the compiler's runtime knows of the processor, and functions cloned for it
// > ok
#include "check.h"

__attribute__((target_clones("avx2", "sse4.2", "default"))) int sum(const int *numbers, int n) {
    int total = 0;
    for (int i = 0; i < n; i++) total += numbers[i];
    return total;
}
int main(void) {
    int numbers[100];
    for (int i = 0; i < 100; i++) numbers[i] = i;
    CHECK(sum(numbers, 100) == 4950);
    __builtin_cpu_init();
    // Part of every x86-64 processor.
    CHECK(__builtin_cpu_supports("sse2"));
    CHECK(!__builtin_cpu_supports("avx2") || __builtin_cpu_supports("avx"));
    puts("ok");
}
