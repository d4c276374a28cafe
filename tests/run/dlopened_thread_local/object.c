extern _Thread_local int counter;
_Thread_local int in_object = 3;
int *object_address(void) {
    counter += 0;
    return &in_object;
}
