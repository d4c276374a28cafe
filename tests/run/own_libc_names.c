// about: a program's own functions and data win over libc's of the same name
// cflags: -O0 -fno-builtin
// cflags: -O2 -fno-builtin
// > strlen 1003, index 7, y1 8
// > malloc gives ours 1, freed 1
// > signgam 5, optarg mine, error 6
#include <stddef.h>
#include <stdio.h>

size_t strlen(const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n + 1000;
}
int index = 7;
double y1 = 8;
int signgam = 5;
const char *optarg = "mine";
int error(int x) { return x + 1; }

static char heap[1 << 20];
static size_t used;
static int freed;
void *malloc(size_t size) {
    void *block = heap + used;
    used += (size + 15) / 16 * 16;
    return used <= sizeof heap ? block : NULL;
}
void free(void *block) { freed += (char *)block >= heap && (char *)block < heap + sizeof heap; }
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void *realloc(void *block, size_t size) {
    char *fresh = malloc(size);
    for (size_t i = 0; block && fresh && i < size; i++) fresh[i] = ((char *)block)[i];
    return fresh;
}

int main(void) {
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    printf("strlen %zu, index %d, y1 %g\n", strlen("abc"), index, y1);
    int before = freed;
    char *volatile block = malloc(100);
    int ours = block >= heap && block < heap + sizeof heap;
    free(block);
    printf("malloc gives ours %d, freed %d\n", ours, freed - before);
    printf("signgam %d, optarg %s, error %d\n", signgam, optarg, error(5));
}
