extern int unwanted_ran;
int missing(void);
int unwanted(void) { return missing(); }
__attribute__((constructor)) static void start(void) { unwanted_ran = 1; }
