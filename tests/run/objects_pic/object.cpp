#include <cstdio>

extern "C" {
extern int bitcode_data;
extern thread_local int bitcode_tls;
thread_local int object_tls = 3;
int object_data = 5;
static const char *const names[] = {"an", "object"};

int bitcode_function(int x);
int object_add(int a, int b) { return a + b; }
int object_callback(int (*callback)(int), int x) { return callback(x); }
int object_calls_back(int x) { return bitcode_function(x); }
const char *const *object_table() { return names; }
int overridden() { return 1; }
int *object_tls_address() { return &bitcode_tls; }
int object_catches(void (*thrower)(int), int x) {
    try {
        thrower(x);
    } catch (int caught) {
        return caught;
    }
    return -1;
}
int object_static() {
    static int count = 0;
    return count++;
}
}
__attribute__((constructor)) static void start() { std::puts("constructor in the object"); }
__attribute__((destructor)) static void end() { std::puts("destructor in the object"); }
