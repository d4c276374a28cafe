int chosen(int x);
int (*other_pointer)(int) = chosen;
int (*address_in_other(void))(int) { return chosen; }
int call_in_other(int x) { return chosen(x); }
