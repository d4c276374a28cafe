// about: VLAs, alloca, return and frame addresses, overaligned locals, large frames
// > ok
#include <alloca.h>
#include <stdint.h>
#include <string.h>
#include "check.h"

NOINLINE static int vla(int n) {
    int numbers[n], sum = 0;
    for (int i = 0; i < n; i++) numbers[i] = i;
    for (int i = 0; i < n; i++) sum += numbers[i];
    return sum;
}
NOINLINE static int vla_argument(int n, int matrix[n][n]) {
    int trace = 0;
    for (int i = 0; i < n; i++) trace += matrix[i][i];
    return trace;
}
NOINLINE static int on_stack(int n) {
    int total = 0;
    for (int i = 1; i <= n; i++) {
        char *block = alloca(i * 100);
        memset(block, 1, i * 100);
        total += block[i * 100 - 1];
    }
    return total;
}
NOINLINE static void *return_address(void) { return __builtin_return_address(0); }
NOINLINE static int same_return_address(void) {
    void *addresses[2];
    for (volatile int i = 0; i < 2; i++) addresses[i] = return_address(); // volatile: one call, not two
    return addresses[0] == addresses[1] && addresses[0] != NULL;
}
NOINLINE static int frame_is_near(void) {
    char local;
    uintptr_t distance = (uintptr_t)__builtin_frame_address(0) - (uintptr_t)&local;
    return distance < 4096;
}
NOINLINE static int overaligned(void) {
    _Alignas(256) volatile char block[256];
    block[0] = 1;
    return (uintptr_t)block % 256 == 0 && block[0];
}
NOINLINE static int large_frame(int n) {
    volatile char block[300000];
    block[n] = 5;
    block[sizeof block - 1] = 6;
    return block[n] + block[sizeof block - 1];
}
typedef int matrix3[3][3];

int main(void) {
    CHECK(vla(100) == 4950);
    matrix3 m = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    CHECK(vla_argument(3, m) == 15);
    CHECK(on_stack(20) == 20);
    CHECK(same_return_address());
    CHECK(frame_is_near());
    CHECK(overaligned());
    CHECK(large_frame(1000) == 11);
    puts("ok");
}
