__attribute__((noinline)) int replaced(void) { return 20; }
