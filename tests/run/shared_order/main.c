// about: what a library needs is searched after all libraries that the program names
// shared: first.c second.c
// also: first.c -Wl,--no-as-needed -l:libresolv.so.2
// > its own
#include <stdio.h>

int first(void);
// Of libresolv, which the first library needs, and of the second one.
unsigned ns_get16(const unsigned char *bytes);

int main(void) { puts(first() == 1 && ns_get16((const unsigned char *)"\1\2") == 7 ? "its own" : "another"); }
