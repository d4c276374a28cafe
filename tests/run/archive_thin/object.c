int of_object(void) { return 30; }
