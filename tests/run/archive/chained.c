int chained(void) { return 2; }
