#include <cstdio>
struct Trace {
    const char *name;
    ~Trace();
};
Trace::~Trace() { std::printf("cleanup %s, ", name); }
int throws(int x) {
    if (x > 0) throw x;
    return -x;
}
int catches(int x) {
    try {
        return throws(x);
    } catch (int caught) {
        return caught;
    }
}
int passes_on(int x) {
    Trace inner{"inner"};
    return throws(x) + 1;
}
int rethrows(int x) {
    try {
        return throws(x);
    } catch (int caught) {
        throw caught + 9;
    }
}
