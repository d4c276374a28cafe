static _Thread_local int initialized[] = {1, 2, 3}, zero;
static _Thread_local char aligned __attribute__((aligned(64)));

int sum_in_object(void) {
    return initialized[0] + initialized[1] + initialized[2] + zero + aligned;
}
void add_in_object(int by) {
    initialized[1] += by;
    zero += by;
    aligned += (char)by;
}
