// about: -u has the member of an archive that defines a name taken, though nobody else needs it
// archive: yes
// run: -u plugin -u nowhere
// ldflags: -Wl,-u,plugin -Wl,-u,nowhere
// > the plugin registers itself
// > 1 registered
#include <stdio.h>

int registered;
int main(void) { printf("%d registered\n", registered); }
