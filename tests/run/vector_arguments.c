// about: vectors of 8 to 64 bytes in all eight registers and on the stack of a first call
// > ok
#include <cpuid.h>
#include <immintrin.h>
#include "check.h"

typedef int int2 __attribute__((vector_size(8)));
typedef int int4 __attribute__((vector_size(16)));
typedef float float4 __attribute__((ext_vector_type(4)));
typedef char char3 __attribute__((ext_vector_type(3)));

NOINLINE __m128 sum128(__m128 a, __m128 b, __m128 c, __m128 d, __m128 e, __m128 f, __m128 g,
                       __m128 h, __m128 on_stack) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * on_stack;
}
NOINLINE int4 add_ints(int4 a, int x, int4 b) { return a * x + b; }
NOINLINE int2 small(int2 a, int2 b) { return a - b; }
NOINLINE float4 swizzle(float4 v) { return v.wzyx; }
NOINLINE char3 three(char3 a, char3 b) { return a + b; }

NOINLINE __attribute__((target("avx"))) __m256d sum256(__m256d a, __m256d b, __m256d c, __m256d d,
                                                       __m256d e, __m256d f, __m256d g, __m256d h,
                                                       __m256d on_stack) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * on_stack;
}
__attribute__((target("avx"))) static void check_avx(void) {
    __m256d v = {1, 10, 100, 1000};
    __m256d sum = sum256(v, v, v, v, v, v, v, v, v);
    for (int i = 0; i < 4; i++) CHECK(sum[i] == v[i] * 45);
}

NOINLINE __attribute__((target("avx512f"))) __m512i sum512(__m512i a, __m512i b, __m512i c,
                                                           __m512i d, __m512i e, __m512i f,
                                                           __m512i g, __m512i h, __m512i on_stack) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * on_stack;
}
__attribute__((target("avx512f"))) static void check_avx512(void) {
    __m512i v = {1, 2, 3, 4, 5, 6, 7, 8};
    __m512i sum = sum512(v, v, v, v, v, v, v, v, v);
    for (int i = 0; i < 8; i++) CHECK(sum[i] == v[i] * 45);
}

// The bits of XCR0 say which registers the system saves.
static unsigned enabled_states(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a;
}

int main(void) {
    __m128 v = {1, 10, 100, 1000};
    __m128 sum = sum128(v, v, v, v, v, v, v, v, v);
    for (int i = 0; i < 4; i++) CHECK(sum[i] == v[i] * 45);
    int4 ints = add_ints((int4){1, 2, 3, 4}, 10, (int4){5, 6, 7, 8});
    CHECK(ints[0] == 15 && ints[1] == 26 && ints[2] == 37 && ints[3] == 48);
    int2 difference = small((int2){5, 7}, (int2){1, 10});
    CHECK(difference[0] == 4 && difference[1] == -3);
    float4 swizzled = swizzle((float4){1, 2, 3, 4});
    CHECK(swizzled.x == 4 && swizzled.w == 1);
    char3 chars = three((char3){1, 2, 3}, (char3){10, 20, 30});
    CHECK(chars.x == 11 && chars.z == 33);
    if ((enabled_states() & 0x6) == 0x6) check_avx();
    unsigned a, b, c, d;
    if ((enabled_states() & 0xe6) == 0xe6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
        (b & bit_AVX512F))
        check_avx512();
    puts("ok");
}
