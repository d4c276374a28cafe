// about: the value that main returns is the exit code
// exit: 42
int main(void) { return 42; }
