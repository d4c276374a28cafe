// about: names of libc's own data: a program's copy is its own, libc's is shared when only declared
// stdin: x
// > optind 1, then 3
// > environ is libc's 1
// > stdin is libc's: x
// > timezone 3600
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
extern char **environ;
int main(void) {
    char *arguments[] = {"program", "-a", "-b", "rest", NULL};
    printf("optind %d", optind);
    while (getopt(4, arguments, "ab") != -1) {}
    printf(", then %d\n", optind);
    setenv("VMKIT_TEST", "x", 1);
    int found = 0;
    for (char **e = environ; *e; e++) found += (*e)[0] == 'V' && (*e)[6] == 'T';
    printf("environ is libc's %d\n", found);
    printf("stdin is libc's: %c\n", getc(stdin));
    setenv("TZ", "XYZ-1", 1);
    tzset();
    printf("timezone %ld\n", -timezone);
}
