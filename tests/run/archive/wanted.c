int chained(void);
int wanted(void) { return 10 + chained(); }
