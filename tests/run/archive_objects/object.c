int from_bitcode(int x);
int from_object(int x) { return from_bitcode(x) + 1; }
