// about: a terminate handler that is first called at the end, because of noexcept
// exit: 5
// > noexcept violated: 3
#include <cstdio>
#include <cstdlib>
#include <exception>
static void handler() {
    try {
        throw;
    } catch (int x) {
        std::printf("noexcept violated: %d\n", x);
    }
    std::exit(5);
}
static void thrower(int x) { throw x; }
static void promise() noexcept { thrower(3); }
int main() {
    std::set_terminate(handler);
    promise();
}
