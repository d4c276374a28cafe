typedef double double4 __attribute__((vector_size(32)));
int in_debug(int x);
static __attribute__((noinline)) double4 add(double4 a, double4 b) { return a + b; }
int in_avx(int x) {
    double4 sum = add((double4){x, 0, 0, 0}, (double4){in_debug(x), 0, 0, 0});
    return (int)sum[0];
}
