int of_module(void) { return 10; }
