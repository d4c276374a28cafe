// about: archive members are pulled in only when something needs them, then they need others
// archive: yes
// > wanted 1, chained 2
// > unwanted constructors did not run
#include <stdio.h>
int wanted(void);
int unwanted_ran;
int main(void) {
    int a = wanted();
    printf("wanted %d, chained %d\n", a / 10, a % 10);
    printf("unwanted constructors %s\n", unwanted_ran ? "ran" : "did not run");
}
