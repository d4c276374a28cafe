int richer(int x) { return x * 2; }
