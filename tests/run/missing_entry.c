// about: modules without a main are refused
// native: no, a linker refuses them
// exit: 2
// stderr: main
int not_main(void) { return 0; }
