int hook_data = 10;
int hook(void) { return 1; }
int library_calls_hook(void) { return hook(); }
int library_reads_data(void) { return hook_data; }
__attribute__((visibility("hidden"))) int hidden_hook(void) { return 1; }
int library_calls_hidden(void) { return hidden_hook(); }
