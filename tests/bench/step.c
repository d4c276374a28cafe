/* What loop.c calls. */
__attribute__((noinline)) unsigned step(unsigned x) {
    return x * 3 + 1;
}
