extern int program_data;
int program_function(int x);
__attribute__((weak)) int program_weak(void);

int library_calls(int x) { return program_function(x); }
int library_weak(void) { return program_weak ? program_weak() : -1; }
int library_adds(int by) { return program_data += by; }
