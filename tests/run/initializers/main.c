// about: initializers that point to functions and data, in cycles, across modules, with addends
// modules: other.c main.c
// > ok
#include <stddef.h>
#include "check.h"

typedef struct node {
    struct node *next, *self;
    int (*function)(int);
    const char *name;
    int *middle;
} node;

int increment(int x) { return x + 1; }
extern node second, third;
extern int numbers[10];
extern char bytes[];
int own[4] = {1, 2, 3, 4};

node first = {&second, &first, increment, "first", &own[2]};
static node alone = {&alone, &alone, increment, &"skipped alone"[8], &numbers[3]};
int *past_the_end = own + 4;
int *negative = numbers - 1;
char *into_bytes = bytes + 5;
int *const *indirect = (int *const *)&past_the_end;
const struct {
    short tag;
    void *unaligned __attribute__((packed));
} packed_pointer = {7, &own[1]};
void *vtable[] = {(void *)increment, &vtable[0], &vtable[2], NULL, (void *)printf};
const char *const texts[] = {"a", "b", "a", "tail", "a tail" + 2};
_Bool is_there = (_Bool)(increment != NULL);
union {
    long number;
    void *pointer;
} tagged[2] = {{5}, {.pointer = &tagged[0]}};
void *compound[] = {(int[]){1, 2, 3}, &(struct { int a, b; }){4, 5}};

int main(void) {
    CHECK(first.next == &second && first.next->next == &third && third.next == &first);
    CHECK(first.self == &first && second.self == &second && alone.next == &alone);
    CHECK(first.function(1) == 2 && second.function == increment && third.function(5) == 10);
    CHECK(first.name[0] == 'f' && alone.name[0] == 'a' && second.name[0] == 's');
    CHECK(*first.middle == 3 && *second.middle == 2 && *alone.middle == 3);
    CHECK(past_the_end == own + 4 && *indirect == own + 4 && negative + 1 == numbers);
    CHECK(*into_bytes == 'f');
    CHECK(packed_pointer.tag == 7 && *(int *)packed_pointer.unaligned == 2);
    CHECK(vtable[1] == vtable && vtable[2] == vtable + 2 && vtable[3] == NULL);
    CHECK(((int (*)(int))vtable[0])(4) == 5 && vtable[4] == (void *)printf);
    CHECK(texts[3][0] == 't' && texts[4][0] == 't' && texts[1][0] == 'b');
    CHECK(is_there);
    CHECK(tagged[0].number == 5 && tagged[1].pointer == &tagged[0]);
    CHECK(((int *)compound[0])[2] == 3 && ((int *)compound[1])[1] == 5);
    puts("ok");
}
