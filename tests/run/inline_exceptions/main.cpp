// about: exceptions through inlined frames: thrown, caught, passed on, with destructors run in order
// cflags: -O1 -fexceptions
// cflags: -O2 -Xclang -disable-llvm-passes
// stat: functions_inlined >= 3 in O2
// > caught here 5
// > caught there 6
// > cleanup inner, cleanup outer, caught 7
// > no exception 9
// > rethrown 10
#include <cstdio>
struct Trace {
    const char *name;
    ~Trace();
};
int throws(int);
int catches(int);
int passes_on(int);
int rethrows(int);
int main(int argc, char **) {
    try {
        throws(argc + 4);
    } catch (int x) {
        std::printf("caught here %d\n", x);
    }
    std::printf("caught there %d\n", catches(argc + 5));
    try {
        Trace outer{"outer"};
        passes_on(argc + 6);
    } catch (int x) {
        std::printf("caught %d\n", x);
    }
    std::printf("no exception %d\n", catches(-9));
    try {
        rethrows(argc);
    } catch (int x) {
        std::printf("rethrown %d\n", x);
    }
}
