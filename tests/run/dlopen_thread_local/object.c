extern _Thread_local int late;
_Thread_local int in_object = 3;
int *object_address(void) {
    late += 0;
    return &in_object;
}
