// about: the members of a thin archive are files beside it
// archive: rcsT
// objects: object.c
// > module 10, object 30
#include <stdio.h>
int of_module(void);
int of_object(void);
int main(void) { printf("module %d, object %d\n", of_module(), of_object()); }
