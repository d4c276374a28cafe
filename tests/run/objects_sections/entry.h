struct entry {
    const char *name;
    int number;
    const struct entry *before;
};
typedef int function(void);
// Aligned, for compilers align larger data as they like.
#define IN(name) __attribute__((section(#name), used, aligned(sizeof(void *))))
#define ENTRY(variable, name, number)                                                              \
    IN(entries) static struct entry variable = {name, number, 0}
