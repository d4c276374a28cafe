extern int main_data;
int in_main(int x);
__attribute__((visibility("default"))) int in_pic(int x) { return in_main(x) + main_data - 7; }
