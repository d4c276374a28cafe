// about: function-local statics: made once, also when eight threads want it and when it threw
// > tries 3, value 9
// > made once 1
// > recursion through other statics 1 2 3
// > at exit: third second first
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

static int tries;
struct Fragile {
    int value = 9;
    Fragile() {
        if (++tries < 3) throw tries;
    }
};
static Fragile &fragile() {
    static Fragile object;
    return object;
}
static std::atomic<int> made;
struct Slow {
    Slow() {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        made++;
    }
};
static Slow &slow() {
    static Slow object;
    return object;
}
struct Ordered {
    const char *name;
    explicit Ordered(const char *name) : name(name) {}
    ~Ordered() { std::printf("%s%s", name, name[0] == 'f' ? "\n" : " "); }
};
static int one() {
    static Ordered first("first");
    static int value = 1;
    return value;
}
static int two() {
    static int value = one() + 1;
    static Ordered second("second");
    return value;
}
static int three() {
    static int value = two() + 1;
    static Ordered third("third");
    return value;
}

int main() {
    for (int i = 0; i < 3; i++) {
        try {
            fragile();
        } catch (int) {}
    }
    std::printf("tries %d, value %d\n", tries, fragile().value);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++) threads.emplace_back([] { slow(); });
    for (auto &thread : threads) thread.join();
    std::printf("made once %d\n", made.load());
    int c = three(), b = two(), a = one();
    std::printf("recursion through other statics %d %d %d\n", a, b, c);
    std::printf("at exit: ");
}
