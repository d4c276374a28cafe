/* Bytes that do nothing, in front of a program's code: run and therefore compiled first, and linked first
   ahead of time. All other code is where it would not be without them. */
__attribute__((constructor)) static void pad(void) { __asm__ volatile(".skip " SIZE ", 0x90"); }
