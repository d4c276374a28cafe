// A function whose labels are in a table: both are linked as one.
static void *volatile table[2];

__attribute__((noinline)) static int run(int which) {
    static void *const labels[] = {&&one, &&two};
    table[0] = labels[which];
    goto *table[0];
one:
    return 1;
two:
    return 2;
}

int main(int argc, char **argv) { return run(argc) - 2; }
