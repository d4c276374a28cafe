int somebody(int x) { return x + 1; }
int somebodys_data = 9;
