#define PLACED __attribute__((section("placed"), used, noinline))
extern char __start_placed[], __stop_placed[];
static inline int is_in(void *function) {
    return (char *)function >= __start_placed && (char *)function < __stop_placed;
}
