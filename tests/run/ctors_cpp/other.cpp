#include <cstdio>
namespace {
struct Noisy {
    char name;
    Noisy(char name) : name(name) { std::printf("other %c\n", name); }
    ~Noisy() { std::printf("other ~%c\n", name); }
};
Noisy c('c'), d('d');
} // namespace
