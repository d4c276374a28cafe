// about: argc, argv, envp, argv[0] and the names that libc keeps of it
// args: one 'two words' '' '--stats' "q'uote" -O2
// env: VMKIT_TEST=from outside
// > argc 7, ends with null 1
// > [one] [two words] [] [--stats] [q'uote] [-O2]
// > environment: from outside, set by us, same 1
// > program name given 1, short name the end of it 1
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char **environ;
int main(int argc, char **argv, char **envp) {
    printf("argc %d, ends with null %d\n", argc, argv[argc] == NULL);
    for (int i = 1; i < argc; i++) printf("[%s]%s", argv[i], i == argc - 1 ? "\n" : " ");
    int same = 0;
    for (int i = 0; envp[i]; i++) same |= strcmp(envp[i], "VMKIT_TEST=from outside") == 0;
    setenv("VMKIT_OTHER", "set by us", 1);
    printf("environment: %s, %s, same %d\n", getenv("VMKIT_TEST"), getenv("VMKIT_OTHER"),
           same && environ);
    const char *slash = strrchr(argv[0], '/');
    printf("program name given %d, short name the end of it %d\n",
           strcmp(program_invocation_name, argv[0]) == 0,
           slash && strcmp(program_invocation_short_name, slash + 1) == 0);
}
