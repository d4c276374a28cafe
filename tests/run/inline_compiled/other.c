int next(int x) { return x + 10; }
int (*volatile pointer)(int) = next;
void *address_in_other(void) { return (void *)next; }
