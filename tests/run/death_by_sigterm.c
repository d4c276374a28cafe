// about: death by SIGTERM
// signal: SIGTERM
#include <signal.h>
#include <unistd.h>
int main(void) {
    kill(getpid(), SIGTERM);
    pause();
    return 0;
}
