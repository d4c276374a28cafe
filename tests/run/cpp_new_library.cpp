// about: libstdc++ itself allocates with the operator new that the program defines
// > allocations inside libstdc++ counted 1, freed 1
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

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

int main() {
    // Instantiated in the library, where its growth is compiled.
    std::string text(100, 'x');
    int before_news = news, before_deletes = deletes;
    for (int i = 0; i < 10; i++) text.append(1000, 'y');
    std::printf("allocations inside libstdc++ counted %d, freed %d\n", news > before_news,
                deletes > before_deletes);
}
