static int inner(int (*callback)(int), int x) {
    int result = callback(x);
    return result + 1;
}
int through_c(int (*callback)(int), int x) { return inner(callback, x) + 1; }
