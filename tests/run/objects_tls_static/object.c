extern int pointed_to;
extern _Thread_local int defined_in_bitcode;
_Thread_local int defined_in_object = 5;
static _Thread_local long numbers[4] = {1, 2, 3, 4};
static _Thread_local int *pointer = &pointed_to;

int object_sum(int x) {
    defined_in_object += x;
    numbers[1] += defined_in_object;
    defined_in_bitcode += 2;
    return defined_in_object + (int)numbers[1] + defined_in_bitcode;
}
int *object_points_to(void) { return pointer; }
