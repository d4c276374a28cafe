// about: modules compiled with different flags work together
// cflags: -O1
// also: pic.c -O2 -fPIC -fvisibility=hidden
// also: nopic.c -O2 -fno-pic
// also: large.c -O0 -mcmodel=large
// also: debug.cpp -g -O0
// also: avx.c -O2 -mavx
// ldflags: -no-pie
// > pic 2, nopic 3, large 4, debug 5, avx 6
// > data 7 8 9
#include <stdio.h>

int in_pic(int x), in_nopic(int x), in_large(int x), in_debug(int x), in_avx(int x);
extern int nopic_data, large_data;
int main_data = 7;
int in_main(int x) { return x + 1; }
int main(void) {
    printf("pic %d, nopic %d, large %d, debug %d, ", in_pic(1), in_nopic(1), in_large(1),
           in_debug(1));
    // Not every processor has AVX.
    __builtin_cpu_init();
    printf("avx %d\n", __builtin_cpu_supports("avx") ? in_avx(1) : 6);
    printf("data %d %d %d\n", main_data, nopic_data, large_data);
}
