// The caller of what is inlined from another module.
#include <stdio.h>

int middle(int value);

int main(void) {
    printf("%d\n", middle(20));
    return 0;
}
