#include <string.h>
static int data[3] = {2, 3, 4};
static volatile int effects;
extern int bitcode_data[3];
int object_switch(int x) {
    switch (x) {
    case 0: effects = 1; return 10;
    case 1: effects += 2; return 11;
    case 2: effects -= 3; return 12;
    case 3: effects *= 4; return 13;
    default: return -1;
    }
}
const char *object_text(void) { return "absolute"; }
int object_data_sum(int i) {
    int sum = 0;
    for (; i <= 2; i++) sum += data[i];
    return sum + data[0];
}
int object_same_pointer(int (*function)(int)) { return function == object_switch; }
int object_reads_bitcode(void) { return bitcode_data[1]; }
int object_libc(const char *text) {
    size_t (*volatile length)(const char *) = strlen;
    return (int)length(text);
}
