// about: replaced global operator new and delete serve the program, its containers and errors
// > new 1, delete 1
// > vector 3, all deleted
// > aligned 1, bad_alloc
#include <cstdio>
#include <cstdlib>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

static int news, deletes;
void *operator new(std::size_t size) {
    news++;
    if (void *memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void *memory) noexcept {
    deletes++;
    std::free(memory);
}
void operator delete(void *memory, std::size_t) noexcept { operator delete(memory); }

struct alignas(128) Wide {
    char bytes[128];
};
int main() {
    int *volatile number = new int(5);
    delete number;
    std::printf("new %d, delete %d\n", news, deletes);
    int before = news;
    {
        std::vector<int> numbers;
        for (int i = 0; i < 4; i++) numbers.push_back(i);
        std::printf("vector %d", news - before);
    }
    std::printf(", %s deleted\n", news == deletes ? "all" : "not all");
    Wide *volatile wide = new Wide;
    std::printf("aligned %d, ", (std::uintptr_t)wide % 128 == 0);
    delete wide;
    try {
        volatile std::size_t huge = std::numeric_limits<std::ptrdiff_t>::max();
        char *volatile memory = new char[huge];
        delete[] memory;
    } catch (const std::bad_alloc &) {
        std::printf("bad_alloc\n");
    }
}
