int program_function(int x);
int plugin(int x) { return program_function(x) + 1; }
