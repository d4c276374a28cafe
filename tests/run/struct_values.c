// about: structs of every ABI class as argument and as result of a first call
// > ok
#include <complex.h>
#include <string.h>
#include "check.h"

typedef struct {
    char c;
} one_byte;
typedef struct {
    int x;
    float y;
} mixed_word;
typedef struct {
    long i;
    double d;
} int_and_double;
typedef struct {
    double d;
    long i;
} double_and_int;
typedef struct {
    float x, y, z;
} floats3;
typedef struct {
    double x, y;
} doubles2;
typedef struct {
    long a, b;
} longs2;
typedef struct {
    long a, b, c;
} longs3;
typedef struct {
    char bytes[7];
} odd_bytes;
typedef struct {
    long double wide;
} wide_float;
typedef struct {
    char bytes[4096];
} page;
typedef struct {
} empty;
typedef union {
    long l;
    double d;
    char c[16];
} mixed_union;

NOINLINE one_byte ret_byte(char c) { return (one_byte){c}; }
NOINLINE mixed_word ret_mixed(int x, float y) { return (mixed_word){x, y}; }
NOINLINE int_and_double ret_int_double(long i, double d) { return (int_and_double){i, d}; }
NOINLINE double_and_int ret_double_int(double d, long i) { return (double_and_int){d, i}; }
NOINLINE floats3 ret_floats(float x) { return (floats3){x, x + 1, x + 2}; }
NOINLINE doubles2 ret_doubles(double x) { return (doubles2){x, -x}; }
NOINLINE longs2 ret_longs2(long x) { return (longs2){x, ~x}; }
NOINLINE longs3 ret_longs3(long x) { return (longs3){x, x + 1, x + 2}; }
NOINLINE odd_bytes ret_odd(char c) {
    odd_bytes r;
    memset(&r, c, sizeof r);
    return r;
}
NOINLINE wide_float ret_wide(long double x) { return (wide_float){x}; }
NOINLINE page ret_page(char c) {
    page p;
    memset(&p, c, sizeof p);
    return p;
}
NOINLINE empty ret_empty(void) { return (empty){}; }
NOINLINE mixed_union ret_union(long l) {
    mixed_union u = {.c = {0}};
    u.l = l;
    return u;
}

NOINLINE long take_all(one_byte b, mixed_word m, int_and_double id, double_and_int di, floats3 f,
                       doubles2 d, longs2 l2, longs3 l3, odd_bytes o, wide_float w, page p, empty e,
                       mixed_union u) {
    (void)e;
    return b.c + m.x + (long)m.y + id.i + (long)id.d + (long)di.d + di.i + (long)(f.x + f.y + f.z) +
           (long)(d.x + d.y) + l2.a + l2.b + l3.a + l3.b + l3.c + o.bytes[6] + (long)w.wide +
           p.bytes[4095] + u.l;
}
// The hidden pointer to the result and the arguments that follow it.
NOINLINE longs3 sret_and_arguments(long a, long b, long c, long d, long e, long f, double g,
                                   longs2 h) {
    return (longs3){a + b + c, d + e + f, (long)g + h.a + h.b};
}
typedef struct counter {
    long n;
    struct counter (*next)(struct counter, long);
} counter;
NOINLINE counter count(counter c, long by) {
    c.n += by;
    return c;
}

int main(void) {
    CHECK(ret_byte('x').c == 'x');
    mixed_word m = ret_mixed(3, 1.5f);
    CHECK(m.x == 3 && m.y == 1.5f);
    int_and_double id = ret_int_double(-4, 2.25);
    CHECK(id.i == -4 && id.d == 2.25);
    double_and_int di = ret_double_int(2.25, -4);
    CHECK(di.i == -4 && di.d == 2.25);
    floats3 f = ret_floats(1);
    CHECK(f.x == 1 && f.y == 2 && f.z == 3);
    doubles2 d = ret_doubles(7);
    CHECK(d.x == 7 && d.y == -7);
    longs2 l2 = ret_longs2(5);
    CHECK(l2.a == 5 && l2.b == ~5L);
    longs3 l3 = ret_longs3(10);
    CHECK(l3.a == 10 && l3.b == 11 && l3.c == 12);
    odd_bytes o = ret_odd(9);
    CHECK(o.bytes[0] == 9 && o.bytes[6] == 9);
    CHECK(ret_wide(1.25L).wide == 1.25L);
    page p = ret_page(3);
    CHECK(p.bytes[0] == 3 && p.bytes[4095] == 3);
    ret_empty();
    mixed_union u = ret_union(77);
    CHECK(u.l == 77 && u.c[8] == 0);
    wide_float w = {8};
    CHECK(take_all((one_byte){1}, m, id, di, f, d, l2, l3, o, w, p, (empty){}, u) ==
          1 + 3 + 1 - 4 + 2 + 2 - 4 + 6 + 0 - 1 + 33 + 9 + 8 + 3 + 77);
    l3 = sret_and_arguments(1, 2, 3, 4, 5, 6, 7.5, (longs2){8, 9});
    CHECK(l3.a == 6 && l3.b == 15 && l3.c == 24);
    counter c = {1, count};
    c = c.next(c, 2);
    CHECK(c.next(c, 3).n == 6);
    puts("ok");
}
