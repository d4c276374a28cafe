// about: data defined twice is refused as functions are, also when one module is an object
// native: no, a linker refuses them
// objects: second.c
// exit: 2
// stderr: twice
// stderr: main.
// stderr: second.
int twice = 1;
int main(void) { return twice; }
