int new_version(int x) { return x + 2; }
int old_version(int x) { return x + 1; }
__asm__(".symver new_version, changed@@V2\n.symver old_version, changed@V1");
