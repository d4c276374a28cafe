// about: C++ globals: dynamic initialization in the order of the file, then of the modules
// > main a
// > main b sees a 1
// > priority first? early
// > other c
// > other d
// > main runs, table 5, lazy static made
// > static local destroyed
// > other ~d
// > other ~c
// > main ~b
// > main ~a
#include <cstdio>
#include <vector>

struct Noisy {
    const char *name;
    int value;
    Noisy(const char *name, int value) : name(name), value(value) { std::printf("%s\n", name); }
    ~Noisy();
};
Noisy::~Noisy() {
    if (name[5] == 'a') std::printf("main ~a\n");
    if (name[5] == 'b') std::printf("main ~b\n");
}
static Noisy a("main a", 1);
struct Sees {
    Noisy inner;
    Sees() : inner(a.value == 1 ? "main b sees a 1" : "wrong", 2) {}
} b;
struct Early {
    const char *text = "early";
};
__attribute__((init_priority(101))) Early early;
static int said = std::printf("priority first? %s\n", early.text);
std::vector<int> table = {1, 2, 3, 4, 5};

struct Local {
    Local() { std::printf(", lazy static made\n"); }
    ~Local() { std::printf("static local destroyed\n"); }
};
static void lazy() { static Local local; }

int main() {
    std::printf("main runs, table %zu", table.size());
    lazy();
    lazy();
}
