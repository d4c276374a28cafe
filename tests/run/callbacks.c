// about: native code calls lazily compiled functions: sort, search, trees, walks, once
// > sorted 1 2 3 4 5 6 7 8 9
// > found 7, absent 1
// > tree of 9, in order 1 2 3 4 5 6 7 8 9
// > once 1
// > scandir found the root 1
// > cookie wrote 11 bytes
// > sorted with context 9 8 7 6 5 4 3 2 1
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static int compare_scaled(const void *a, const void *b, void *scale) {
    return compare(a, b) * *(int *)scale;
}
static int nodes;
static void visit(const void *node, VISIT which, int depth) {
    (void)depth;
    if (which == postorder || which == leaf) {
        printf(" %d", **(int *const *)node);
        nodes++;
    }
}
static int runs;
static void once(void) { runs++; }
static int is_etc(const struct dirent *entry) { return strcmp(entry->d_name, "etc") == 0; }
static ssize_t count_bytes(void *cookie, const char *data, size_t size) {
    (void)data;
    *(size_t *)cookie += size;
    return size;
}
static void release(void *node) { (void)node; }

int main(void) {
    int numbers[] = {5, 3, 9, 1, 7, 2, 8, 4, 6}, seven = 7, ten = 10;
    void *root = NULL;
    for (int i = 0; i < 9; i++) tsearch(&numbers[i], &root, compare);
    int sorted[9];
    memcpy(sorted, numbers, sizeof sorted);
    qsort(sorted, 9, sizeof *sorted, compare);
    printf("sorted");
    for (int i = 0; i < 9; i++) printf(" %d", sorted[i]);
    int *found = bsearch(&seven, sorted, 9, sizeof *sorted, compare);
    printf("\nfound %d, absent %d\n", *found,
           bsearch(&ten, sorted, 9, sizeof *sorted, compare) == NULL);
    printf("tree of 9, in order");
    twalk(root, visit);
    printf("\n");
    tdestroy(root, release);
    pthread_once_t control = PTHREAD_ONCE_INIT;
    pthread_once(&control, once);
    pthread_once(&control, once);
    printf("once %d\n", runs);
    struct dirent **entries;
    int count = scandir("/", &entries, is_etc, alphasort);
    printf("scandir found the root %d\n", count);
    size_t written = 0;
    FILE *stream = fopencookie(&written, "w", (cookie_io_functions_t){.write = count_bytes});
    fputs("hello world", stream);
    fclose(stream);
    printf("cookie wrote %zu bytes\n", written);
    int scale = -1;
    qsort_r(sorted, 9, sizeof *sorted, compare_scaled, &scale);
    printf("sorted with context");
    for (int i = 0; i < 9; i++) printf(" %d", sorted[i]);
    printf("\n");
}
