// An inlined call, two levels deep.
void outside(int value);

static inline __attribute__((always_inline)) void innermost(int value) {
  outside(value + 1);
}

static inline __attribute__((always_inline)) void inner(int value) {
  innermost(value * 2);
}

void outermost(int value) {
  inner(value);
}
