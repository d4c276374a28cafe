// about: a program and a shared library on libc++, in a process that has libstdc++
// needs: libc++.so
// shared: lib.cpp
// run: -l c++
// cflags: -O0 -stdlib=libc++
// cflags: -O2 -stdlib=libc++
// ldflags: -stdlib=libc++ -pthread
// exit: 3
// > from the library
// > out of range
// > caught there 1 7 2
// > handler 1 1
// > outer, inner
// > from a thread: 5
// > cast 1
// > terminate
#include <exception>
#include <future>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <typeinfo>

void library_throw(bool is_own);
int library_catch(void (*throws)());
std::new_handler library_handler();
std::ostream &library_stream();

static int handled;
static void handler() {
    handled++;
    std::set_new_handler(nullptr);
}
struct Base {
    virtual ~Base() {}
};
struct Derived : Base {};

static void nested() {
    try {
        throw std::runtime_error("inner");
    } catch (...) {
        std::throw_with_nested(std::logic_error("outer"));
    }
}

int main() {
    try {
        library_throw(true);
    } catch (const std::runtime_error &error) {
        std::cout << error.what() << "\n";
    }
    try {
        library_throw(false);
    } catch (const std::out_of_range &) {
        std::cout << "out of range\n";
    }
    std::cout << "caught there " << library_catch([] { throw std::invalid_argument(""); }) << " "
              << library_catch([] { throw 7; }) << " "
              << library_catch([] { throw std::bad_alloc(); }) << "\n";
    std::set_new_handler(handler);
    bool is_shared = library_handler() == handler && &library_stream() == &std::cout;
    try {
        void *volatile block = operator new(std::size_t(1) << 60);
        (void)block;
    } catch (const std::bad_alloc &) {
        std::cout << "handler " << is_shared << " " << handled << "\n";
    }
    try {
        nested();
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
        } catch (const std::exception &inner) {
            std::cout << outer.what() << ", " << inner.what() << "\n";
        }
    }
    std::future<int> result = std::async(std::launch::async, []() -> int { throw 5; });
    try {
        result.get();
    } catch (int number) {
        std::cout << "from a thread: " << number << "\n";
    }
    Base *base = new Derived;
    std::cout << "cast " << (dynamic_cast<Derived *>(base) && typeid(*base) == typeid(Derived)) << "\n";
    delete base;
    std::set_terminate([] {
        std::cout << "terminate\n" << std::flush;
        std::_Exit(3);
    });
    throw std::runtime_error("end");
}
