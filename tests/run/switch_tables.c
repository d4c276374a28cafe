// about: switches of every density, jump tables, lookup tables and ranges of 64 bits
// > dense a b c d e f g h ? ?
// > holes 1 0 3 0 5 0 7 0 9 0
// > negative -3 -2 -1 0 1 99
// > wide 1 2 3 4 0
// > ranges lower upper digit other
// > nested 11 12 21 22 0
// > fall through 15 14 12 8 0
// > vowels 5
#include "check.h"

NOINLINE int dense(int x) {
    switch (x) {
    case 0: return 'a';
    case 1: return 'b';
    case 2: return 'c';
    case 3: return 'd';
    case 4: return 'e';
    case 5: return 'f';
    case 6: return 'g';
    case 7: return 'h';
    default: return '?';
    }
}
static volatile int effects;
NOINLINE int holes(int x) {
    switch (x) {
    case 1: effects++; return 1;
    case 3: effects += 3; return 3;
    case 5: effects -= 5; return 5;
    case 7: effects *= 7; return 7;
    case 9: effects ^= 9; return 9;
    }
    return 0;
}
NOINLINE int negative(int x) {
    switch (x) {
    case -3: effects = 0; return -3;
    case -2: effects = 1; return -2;
    case -1: effects = 2; return -1;
    case 0: effects = 3; return 0;
    case 1: effects = 4; return 1;
    default: return 99;
    }
}
NOINLINE int wide(unsigned long x) {
    switch (x) {
    case 0x8000000000000000: return 1;
    case 0x8000000000000001: return 2;
    case 0xffffffffffffffff: return 3;
    case 0x100000000: return 4;
    default: return 0;
    }
}
NOINLINE const char *ranges(int c) {
    switch (c) {
    case 'a' ... 'z': return "lower";
    case 'A' ... 'Z': return "upper";
    case '0' ... '9': return "digit";
    default: return "other";
    }
}
NOINLINE int nested(int x, int y) {
    switch (x) {
    case 1:
        switch (y) {
        case 1: return 11;
        case 2: return 12;
        }
        break;
    case 2:
        switch (y) {
        case 1: return 21;
        case 2: return 22;
        }
    }
    return 0;
}
NOINLINE int fall_through(int x) {
    int sum = 0;
    switch (x) {
    case 0: sum |= 1;
    case 1: sum |= 2;
    case 2: sum |= 4;
    case 3: sum |= 8;
    default:;
    }
    return sum;
}
NOINLINE int is_vowel(char c) {
    switch (c) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u': return 1;
    default: return 0;
    }
}

int main(void) {
    printf("dense");
    for (int i = 0; i < 10; i++) printf(" %c", dense(i));
    printf("\nholes");
    for (int i = 1; i < 11; i++) printf(" %d", holes(i));
    printf("\nnegative");
    for (int i = -3; i < 3; i++) printf(" %d", negative(i));
    printf("\nwide %d %d %d %d %d\n", wide(1UL << 63), wide((1UL << 63) + 1), wide(-1),
           wide(1UL << 32), wide(0));
    printf("ranges %s %s %s %s\n", ranges('q'), ranges('Q'), ranges('4'), ranges('-'));
    printf("nested %d %d %d %d %d\n", nested(1, 1), nested(1, 2), nested(2, 1), nested(2, 2),
           nested(1, 3));
    printf("fall through %d %d %d %d %d\n", fall_through(0), fall_through(1), fall_through(2),
           fall_through(3), fall_through(4));
    int vowels = 0;
    for (const char *s = "education, brr"; *s; s++) vowels += is_vowel(*s);
    printf("vowels %d\n", vowels);
}
