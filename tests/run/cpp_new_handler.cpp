// about: operator new calls the handler that the program has set
// > 1 call, then bad_alloc
#include <cstdio>
#include <new>

static int calls;
static void handler() {
    calls++;
    std::set_new_handler(nullptr);
}

int main() {
    std::set_new_handler(handler);
    try {
        void *volatile block = operator new(std::size_t(1) << 60);
        (void)block;
    } catch (const std::bad_alloc &) {
        std::printf("%d call, then bad_alloc\n", calls);
    }
}
