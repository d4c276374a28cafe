// about: standard input to standard output, and standard error unbuffered
// stdin: first line
// stdin: second
// stderr: to standard error
// newline: no
// > 1: first line
// > 2: second
// > 18 characters, no newline at the end
#include <ctype.h>
#include <stdio.h>
int main(void) {
    char line[100];
    int lines = 0, characters = 0;
    fprintf(stderr, "to standard error");
    while (fgets(line, sizeof line, stdin)) {
        printf("%d: %s", ++lines, line);
        for (char *c = line; *c; c++) characters++;
    }
    printf("%d characters, no newline at the end", characters);
}
