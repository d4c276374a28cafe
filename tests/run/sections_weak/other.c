__attribute__((weak, section("set"))) int shared[1] = {100};
__attribute__((section("set"), used)) static int own = 20;
int *other(void) { return shared; }
