extern int main_data;
int nopic_data = 8;
int in_main(int x);
static int (*const table[])(int) = {in_main};
int in_nopic(int x) { return table[x - 1](x) + 1 + (&main_data == 0); }
