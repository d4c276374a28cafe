// about: a function-local static whose initialization comes back to itself
// > terminated
#include <cstdio>
#include <cstdlib>
#include <exception>

static int itself() {
    static int value = itself() + 1;
    return value;
}
int main() {
    std::set_terminate([] {
        std::puts("terminated");
        std::fflush(stdout);
        std::_Exit(0);
    });
    return itself();
}
