extern int registered;
int another_plugin;
__attribute__((constructor)) static void begin(void) { registered += 10; }
