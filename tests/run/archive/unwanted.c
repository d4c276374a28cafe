// Would be a second definition, and call what is not there.
extern int unwanted_ran;
int missing(void);
int main(void) { return missing(); }
__attribute__((constructor)) static void start(void) { unwanted_ran = 1; }
