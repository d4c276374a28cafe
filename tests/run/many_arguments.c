// about: more arguments than registers: each of them arrives, whole, at a first call
// > ok
#include "check.h"

#define INTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
NOINLINE int ints(long a1, long a2, long a3, long a4, long a5, long a6, long a7, long a8, long a9,
                  long a10, long a11, long a12) {
#define IS(n)                                                                                      \
    if (a##n != 0x0101010101010101 * n) return n;
    INTS(IS)
    return 0;
}
NOINLINE int floats(double a1, double a2, double a3, double a4, double a5, double a6, double a7,
                    double a8, double a9, double a10, double a11, double a12) {
#undef IS
#define IS(n)                                                                                      \
    if (a##n != n / 3.0) return n;
    INTS(IS)
    return 0;
}
NOINLINE int both(int i1, double d1, char i2, float d2, long i3, double d3, short i4, float d4,
                  int *i5, double d5, unsigned i6, float d6, long i7, double d7, int i8, float d8,
                  char i9, double d9, long i10, float d10) {
    return i1 == 1 && i2 == 2 && i3 == 3 && i4 == 4 && *i5 == 5 && i6 == 6 && i7 == 7 && i8 == 8 &&
           i9 == 9 && i10 == 10 && d1 == 1.5 && d2 == 2.5f && d3 == 3.5 && d4 == 4.5f &&
           d5 == 5.5 && d6 == 6.5f && d7 == 7.5 && d8 == 8.5f && d9 == 9.5 && d10 == 10.5f;
}
typedef struct {
    char text[40];
} in_memory;
NOINLINE int by_value(in_memory a, int x, in_memory b) {
    return a.text[0] == 'a' && a.text[39] == 'z' && x == 7 && b.text[20] == 'm';
}

int main(void) {
#define V(n) 0x0101010101010101 * n
    CHECK(ints(V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12)) == 0);
#define F(n) n / 3.0
    CHECK(floats(F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12)) == 0);
    int five = 5;
    CHECK(
        both(1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, &five, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10, 10.5));
    in_memory a = {{'a'}}, b = {{0}};
    a.text[39] = 'z';
    b.text[20] = 'm';
    CHECK(by_value(a, 7, b));
    puts("ok");
}
