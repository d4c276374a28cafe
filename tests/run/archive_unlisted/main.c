// about: members that the archive's index does not lead to are found: modules, their assembly, objects
// archive: rcS
// objects: object.c
// > module 10, assembly 20, object 30
// > unwanted constructors did not run
#include <stdio.h>
int of_module(void);
int of_assembly(void);
int of_object(void);
int unwanted_ran;
int main(void) {
    printf("module %d, assembly %d, object %d\n", of_module(), of_assembly(), of_object());
    printf("unwanted constructors %s\n", unwanted_ran ? "ran" : "did not run");
}
