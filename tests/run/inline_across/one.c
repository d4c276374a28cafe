int twice(int);
static int hidden = 100;
static _Thread_local int own = 7;
int sum(int a, int b) { return a + b; }
int through_two(int x) { return twice(x + 3); }
int hidden_of_one(void) { return hidden; }
void change_hidden_of_one(int by) { hidden += by; }
int count_one(void) { static int count; return ++count; }
const char *text_of_one(void) { return "constant text of one"; }
int thread_local_of_one(void) { return own; }
void set_thread_local_of_one(int x) { own = x; }
int apply(int (*function)(int), int x) { return function(x); }
