int plain(int);
__attribute__((noinline)) int calls_plain(int x) { return plain(x) + 1; }
