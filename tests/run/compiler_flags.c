// about: one program under the flags that change what a compiler assumes of its surroundings
// cflags: -O0
// cflags: -O1
// cflags: -O2
// cflags: -O3
// cflags: -Os
// cflags: -O0 -g
// cflags: -O2 -g
// cflags: -O1 -fstack-protector-all
// cflags: -O2 -fPIC
// cflags: -O2 -fno-pic
// cflags: -O0 -fno-pic
// cflags: -O2 -fno-plt
// cflags: -O2 -fPIC -fno-plt
// cflags: -O2 -fpic -fvisibility=hidden
// cflags: -O2 -ffunction-sections -fdata-sections
// cflags: -O2 -fcommon
// cflags: -O2 -mno-red-zone
// cflags: -O2 -fno-omit-frame-pointer -fno-optimize-sibling-calls
// cflags: -O2 -fcf-protection=full
// cflags: -O2 -fsemantic-interposition -fPIC
// cflags: -O2 -mcmodel=medium
// cflags: -O2 -mcmodel=large
// cflags: -O2 -ftls-model=initial-exec
// cflags: -O2 -fno-asynchronous-unwind-tables
// cflags: -O2 -D_FORTIFY_SOURCE=2
// args: 10
// > primes 2 3 5 7 11 13 17 19 23 29
// > sorted ant bee cat dog
// > matrix 30 36 42 / 66 81 96 / 102 126 150
// > hash a61e95ff
// > tree 1 2 3 4 5 6 7
// > tls 6, common 0, errno 2
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int common_count;
static _Thread_local int calls = 5;
static const char *animals[] = {"dog", "ant", "cat", "bee"};

static int is_prime(int n) {
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0) return 0;
    return n > 1;
}
static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void multiply(const double *a, const double *b, double *c, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            c[i * n + j] = 0;
            for (int k = 0; k < n; k++) c[i * n + j] += a[i * n + k] * b[k * n + j];
        }
}
uint32_t fnv(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}
typedef struct tree {
    struct tree *left, *right;
    int key;
} tree;
static tree *insert(tree *t, int key) {
    if (!t) {
        t = calloc(1, sizeof *t);
        t->key = key;
    } else if (key < t->key) t->left = insert(t->left, key);
    else t->right = insert(t->right, key);
    return t;
}
static void walk(const tree *t, void (*visit)(int)) {
    if (!t) return;
    walk(t->left, visit);
    visit(t->key);
    walk(t->right, visit);
}
static void show(int key) { printf(" %d", key); }
static void say(const char *format, ...) {
    char buffer[64];
    va_list list;
    va_start(list, format);
    vsnprintf(buffer, sizeof buffer, format, list);
    va_end(list);
    fputs(buffer, stdout);
    calls++;
}

int main(int argc, char **argv) {
    printf("primes");
    for (int n = 0, found = 0; argc > 1 && found < atoi(argv[1]); n++)
        if (is_prime(n)) {
            show(n);
            found++;
        }
    qsort(animals, 4, sizeof *animals, by_name);
    printf("\nsorted");
    for (int i = 0; i < 4; i++) printf(" %s", animals[i]);
    double m[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, product[9];
    multiply(m, m, product, 3);
    printf("\nmatrix");
    for (int i = 0; i < 9; i++) printf(i == 3 || i == 6 ? " / %.0f" : " %.0f", product[i]);
    printf("\nhash %x\ntree", fnv("lazy linking"));
    tree *root = NULL;
    for (int i = 0; i < 7; i++) root = insert(root, i * 3 % 7 + 1);
    walk(root, show);
    say("\n%s ", "tls");
    int descriptor = open("/does/not/exist", O_RDONLY);
    printf("%d, common %d, errno %d\n", calls, common_count, descriptor < 0 ? errno : 0);
}
