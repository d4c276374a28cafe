// about: an uncaught exception ends in abort, after the terminate handler has been told
// signal: SIGABRT
// stderr: terminate called after throwing
// > thrown
#include <cstdio>
#include <stdexcept>
static void thrower() {
    std::printf("thrown\n");
    std::fflush(stdout);
    throw std::runtime_error("nobody catches this");
}
int main() { thrower(); }
