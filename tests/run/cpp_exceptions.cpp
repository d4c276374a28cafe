// about: exceptions through many frames, out of first calls, by type, rethrown, nested, cleaned up
// > caught 42 after 100 cleanups
// > int 1, const char * two, derived three, unknown
// > rethrown: inner, then outer
// > nested: outer because inner
// > array: +0 +1 +2 +3 -2 -1 -0 caught
// > member: base -base caught
// > noexcept(false) destructor caught
// > function try block -1
// > filtered 7
// > in flight 0 1 0
// > out_of_range
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>
#include "check.h"

static int cleanups;
struct Guard {
    ~Guard() { cleanups++; }
};
// Every second frame belongs to another function, each of which is called first on the way down.
template <int N> NOINLINE void descend() {
    Guard guard;
    if constexpr (N == 0) throw 42;
    else descend<N - 1>();
}

NOINLINE void thrower(int kind) {
    struct Derived : std::runtime_error {
        using runtime_error::runtime_error;
    };
    if (kind == 1) throw 1;
    if (kind == 2) throw "two";
    if (kind == 3) throw Derived("derived three");
    throw 4.0f;
}
static void by_type(int kind) {
    try {
        thrower(kind);
    } catch (int i) {
        std::printf("int %d, ", i);
    } catch (const char *text) {
        std::printf("const char * %s, ", text);
    } catch (const std::exception &e) {
        std::printf("%s, ", e.what());
    } catch (...) {
        std::printf("unknown\n");
    }
}

static void rethrow() {
    try {
        try {
            throw std::string("inner");
        } catch (std::string &s) {
            std::printf("rethrown: %s", s.c_str());
            s = "outer";
            throw;
        }
    } catch (const std::string &s) {
        std::printf(", then %s\n", s.c_str());
    }
}
static void nested() {
    try {
        try {
            throw std::runtime_error("inner");
        } catch (...) {
            std::throw_with_nested(std::logic_error("outer"));
        }
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
        } catch (const std::exception &inner) {
            std::printf("nested: %s because %s\n", outer.what(), inner.what());
        }
    }
}

struct Element {
    static int made;
    int number;
    Element() : number(made++) {
        std::printf(" +%d", number);
        if (number == 3) throw 3;
    }
    ~Element() { std::printf(" -%d", number); }
};
int Element::made;

struct Base {
    Base() { std::printf(" base"); }
    ~Base() { std::printf(" -base"); }
};
struct Failing {
    Failing() { throw 5; }
};
struct Whole : Base {
    Failing member;
};
struct ThrowsAtEnd {
    ~ThrowsAtEnd() noexcept(false) { throw 6; }
};
static int function_try(int x) try {
    if (x) throw x;
    return 0;
} catch (int caught) {
    return -caught;
}
static int filtered() {
    try {
        try {
            throw 7;
        } catch (const char *) {
            return 1;
        }
    } catch (int x) {
        return x;
    }
    return 2;
}
struct Flight {
    ~Flight() { std::printf(" %d", std::uncaught_exceptions()); }
};

int main() {
    try {
        descend<99>();
    } catch (int x) {
        std::printf("caught %d after %d cleanups\n", x, cleanups);
    }
    for (int kind = 1; kind <= 4; kind++) by_type(kind);
    rethrow();
    nested();
    std::printf("array:");
    try {
        delete[] new Element[5];
    } catch (int) {
        std::printf(" caught\n");
    }
    std::printf("member:");
    try {
        Whole whole;
    } catch (int) {
        std::printf(" caught\n");
    }
    try {
        ThrowsAtEnd at_end;
    } catch (int) {
        std::printf("noexcept(false) destructor caught\n");
    }
    std::printf("function try block %d\n", function_try(1));
    std::printf("filtered %d\n", filtered());
    std::printf("in flight");
    { Flight flight; }
    try {
        Flight flight;
        throw 8;
    } catch (int) {
        Flight flight;
    }
    try {
        std::vector<int>().at(3);
    } catch (const std::out_of_range &) {
        std::printf("\nout_of_range\n");
    }
}
