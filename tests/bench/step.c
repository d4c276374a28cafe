/* What loop.c calls. */
__attribute__((noinline, aligned(64))) unsigned step(unsigned x) {
    return x * 3 + 1;
}
