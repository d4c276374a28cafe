// about: mutual recursion of two modules, where each calls the other first from deep inside
// > female 1 1 2 2 3 3 4 5 5 6
// > male 0 0 1 2 2 3 4 4 5 6
#include <stdio.h>

int male(int n);
int female(int n) { return n == 0 ? 1 : n - male(female(n - 1)); }
int main(void) {
    printf("female");
    for (int n = 0; n < 10; n++) printf(" %d", female(n));
    printf("\nmale");
    for (int n = 0; n < 10; n++) printf(" %d", male(n));
    printf("\n");
}
