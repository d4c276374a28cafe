// about: --argv0 sets argv[0], and with it the names that libc keeps
// run: --argv0 /some/where/tool
// native: no
// > /some/where/tool tool
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
int main(int argc, char **argv) { printf("%s %s\n", argv[0], program_invocation_short_name); }
