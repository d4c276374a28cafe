int from_bitcode(int x) { return x * 2; }
