// about: the operator delete that the program defines is given nothing but what its operator new gave
// > x0123456789012345678901234567890123456789
// > ok
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <thread>

alignas(16) static char pool[1 << 22];
static std::size_t used;

void *operator new(std::size_t size) {
    std::size_t at = __atomic_fetch_add(&used, (size + 15) & ~std::size_t(15), __ATOMIC_RELAXED);
    if (at + size > sizeof pool) throw std::bad_alloc();
    return pool + at;
}
void operator delete(void *memory) noexcept {
    if (!memory || (memory >= pool && memory < pool + sizeof pool)) return;
    std::fputs("not from the pool\n", stderr);
    std::abort();
}
void operator delete(void *memory, std::size_t) noexcept { operator delete(memory); }

// Allocates and frees in the library, between first calls.
template <int N> struct Step {
    static std::string run(const std::string &text) {
        std::ostringstream out;
        out << text << N % 10;
        return Step<N + 1>::run(out.str());
    }
};
template <> struct Step<40> {
    static std::string run(const std::string &text) { return text; }
};

int main() {
    std::thread thread([] { Step<20>::run("a thread of the program's, that ends"); });
    std::cout << Step<0>::run("x") << std::endl;
    thread.join();
    std::cout << "ok" << std::endl;
}
