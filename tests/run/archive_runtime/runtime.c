#include <string.h>

// As the compilers' runtime libraries have it: the upper half of a float, to the nearest.
__bf16 __truncsfbf2(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    unsigned short upper = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    __bf16 result;
    memcpy(&result, &upper, sizeof result);
    return result;
}
