// about: sections of one name are one array, in the order of the modules, with tables of labels in it
// > steps: main first, of label, of label, main last, of label, other
// > all labels are their functions': yes
#include <stdio.h>
#include "step.h"

STEP before = {"main first", 0};

__attribute__((noinline)) void *pick(int which) {
    static STEP here[] = {{"of label", &&one}, {"of label", &&two}};
    goto *here[which].place;
one:
    return here[0].place;
two:
    return here[1].place;
}

STEP after = {"main last", 0};

extern struct step __start_steps[], __stop_steps[];

int main(void) {
    long count = __stop_steps - __start_steps;
    printf("steps:");
    for (long i = 0; i < count; i++) printf("%s %s", i ? "," : "", __start_steps[i].name);
    int are = count == 6 && pick(0) == __start_steps[1].place &&
              pick(1) == __start_steps[2].place && other_pick(0) == __start_steps[4].place;
    printf("\nall labels are their functions': %s\n", are ? "yes" : "no");
}
