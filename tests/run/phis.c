// about: values of loops that change places, are wanted after they have changed, or come from all sides
// cflags: -O1
// > 89 144 3 5
// > 3 1 2
// > 10 9 100
// > 1 2 3 4 5 6 7
// > 21 34 55
// > 4321 321 21
// > 120 24 6 2
#include <setjmp.h>
#include "check.h"

static volatile int zero;
static NOINLINE int kept(int x) { return x + zero; }

// Each pass gives both names the other's value.
static NOINLINE void swapped(int passes, int *pair) {
    int a = pair[0], b = pair[1];
    for (int i = 0; i < passes; i++) {
        int sum = a + b;
        a = b, b = sum;
        if (kept(i) == 3) pair[2] = a, pair[3] = b;
    }
    pair[0] = a, pair[1] = b;
}

static NOINLINE void rotated(int passes, int *three) {
    int a = 1, b = 2, c = 3;
    do {
        int first = a;
        a = b, b = c, c = first;
    } while (kept(--passes));
    three[0] = a, three[1] = b, three[2] = c;
}

// The value of the pass before is wanted where the loop is left.
static NOINLINE int left(int end, int *last) {
    int value = kept(1), before = 0, count = 0;
    while (1) {
        if (count++ == end) break;
        before = value;
        value += kept(1);
    }
    *last = before;
    return value;
}

// Left in the midst, where the new value is set and the old one still wanted.
static NOINLINE int square_above(int bound) {
    int x = 0, next;
    do {
        next = x + kept(1);
        if (x * x >= bound) return x * x;
        x = next;
    } while (1);
}

static NOINLINE int chosen(int way) {
    int result;
    switch (way) {
    case 0: result = kept(1); break;
    case 1: result = kept(2); break;
    case 2: result = kept(3); break;
    case 3: result = 4; break;
    case 4: result = way + 1; break;
    default: result = kept(way) > 5 ? 7 : 6;
    }
    kept(result);
    return result;
}

// Loops in loops, which begin with what the last one has left.
static NOINLINE void nested(int *out) {
    int a = 0, b = 1;
    for (int i = 0; i < 3; i++) {
        int steps = i ? 1 : 8;
        for (int j = 0; j < steps; j++) {
            int sum = a + b;
            a = b, b = kept(sum);
        }
        out[i] = a;
    }
}

// By labels, each of which leads to each.
static NOINLINE int interpreted(const unsigned char *code) {
    static void *const labels[] = {&&end, &&push, &&drop};
    int top = 0, depth = 0;
    goto *labels[*code];
push: top = top + kept(code[1]) * (int[]){1, 10, 100, 1000}[depth++], code += 2;
    goto *labels[*code];
drop: top = top - top / (int[]){1, 1, 10, 100, 1000}[depth] * (int[]){1, 1, 10, 100, 1000}[depth], depth--, code++;
    goto *labels[*code];
end: return top;
}

// What a jump finds that leads back into the loop.
static jmp_buf place;
static NOINLINE void back(int n) { longjmp(place, n); }
static NOINLINE int returned(int n) {
    volatile int product = 1;
    int went = setjmp(place);
    if (went) product = product * went;
    if (went == 1) return product;
    back(went ? went - 1 : n);
    return -1;
}

int main(void) {
    int pair[4] = {0, 1}, three[3], last, out[3];
    swapped(11, pair), printf("%d %d %d %d\n", pair[0], pair[1], pair[2], pair[3]);
    rotated(2, three), printf("%d %d %d\n", three[0], three[1], three[2]);
    int value = left(9, &last);
    printf("%d %d %d\n", value, last, square_above(82));
    for (int way = 0; way < 7; way++) printf("%d%c", chosen(way), way < 6 ? ' ' : '\n');
    nested(out), printf("%d %d %d\n", out[0], out[1], out[2]);
    const unsigned char code[] = {1, 1, 1, 2, 1, 3, 1, 4, 0};
    unsigned char less[] = {1, 1, 1, 2, 1, 3, 1, 4, 2, 0}, least[] = {1, 1, 1, 2, 1, 3, 1, 4, 2, 2, 0};
    printf("%d %d %d\n", interpreted(code), interpreted(less), interpreted(least));
    for (int n = 5; n > 1; n--) printf("%d%c", returned(n), n > 2 ? ' ' : '\n');
}
