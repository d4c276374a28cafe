extern int nopic_data;
int large_data = 9;
int in_nopic(int x);
int in_large(int x) { return in_nopic(x) + nopic_data - 7; }
