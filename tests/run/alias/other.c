int replaced(int x) { return x + 1000; }
int replaced_alias(int x) { return x + 2000; }
int exported(int x);
int other_name(int x);
extern int data_alias;
int through_other(int x) { return exported(x) + other_name(x); }
int *data_alias_in_other(void) { return &data_alias; }
