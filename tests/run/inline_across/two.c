static int hidden = 200;
static const int table[] = {10, 20, 30};
int twice(int x) { return x * 2; }
int hidden_of_two(void) { return hidden; }
void change_hidden_of_two(int by) { hidden += by; }
int count_two(void) { static int count; return ++count; }
int table_of_two(int i) { return table[i]; }
