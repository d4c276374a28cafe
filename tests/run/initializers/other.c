typedef struct node {
    struct node *next, *self;
    int (*function)(int);
    const char *name;
    int *middle;
} node;

int increment(int x);
static int twice(int x) { return 2 * x; }
extern node first;
extern int own[4];
node third;
int numbers[10] = {0, 1, 2, 3, 4};
char bytes[] = "abcdefg";
node second = {&third, &second, increment, "second", own + 1};
node third = {&first, &third, twice, "third", numbers};
