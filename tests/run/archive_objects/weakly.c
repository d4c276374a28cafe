int only_weakly_wanted(void) { return 1; }
