// about: what the compiler's runtime knows of the processor, and functions cloned for it
// > ok
#include <string.h>
#include "check.h"

__attribute__((target_clones("avx2", "sse4.2", "default"))) int sum(const int *numbers, int n) {
    int total = 0;
    for (int i = 0; i < n; i++) total += numbers[i];
    return total;
}
// Features from the thirty-third on are in data of their own.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "gfni", "default"))) int product(
    const int *numbers, int n) {
    int total = 1;
    for (int i = 0; i < n; i++) total *= numbers[i];
    return total;
}
// What the kernel says in the line of flags, in words that begin and end with a space.
static int has(const char *flag) {
    static char line[8192];
    FILE *file = fopen("/proc/cpuinfo", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file) && (line[0] != 'f' || line[1] != 'l')) {}
    fclose(file);
    line[strcspn(line, "\n")] = ' ';
    return strstr(line, flag) != NULL;
}
int main(void) {
    int numbers[100];
    for (int i = 0; i < 100; i++) numbers[i] = i;
    CHECK(sum(numbers, 100) == 4950);
    CHECK(product(numbers + 1, 5) == 120);
    __builtin_cpu_init();
    // Part of every x86-64 processor.
    CHECK(__builtin_cpu_supports("sse2"));
    CHECK(__builtin_cpu_supports("x86-64"));
    CHECK(!__builtin_cpu_supports("avx2") || __builtin_cpu_supports("avx"));
    CHECK(!__builtin_cpu_supports("gfni") == !has(" gfni "));
    CHECK(!__builtin_cpu_supports("movbe") == !has(" movbe "));
    CHECK(!__builtin_cpu_supports("x86-64-v2") == !(has(" sse4_2 ") && has(" popcnt ") && has(" cx16 ")));
    CHECK(!__builtin_cpu_supports("x86-64-v3") || has(" avx2 "));
    puts("ok");
}
