// What is inlined into another module's functions, and what it calls.
static int seen;

__attribute__((noinline)) int leaf(int value) {
    seen += value;
    return value + 1; // line 6
}

int middle(int value) {
    return leaf(value) * 2; // line 10
}
