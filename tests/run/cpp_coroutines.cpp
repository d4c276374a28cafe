// about: coroutines: frames, suspension across first calls, exceptions, destruction half-way
// cflags: -O0 -std=c++20
// cflags: -O2 -std=c++20
// > 0 1 1 2 3 5 8 13 21 34
// > caught inside
// > destroyed half-way
#include <coroutine>
#include <cstdio>
#include <exception>

struct Generator {
    struct promise_type {
        long value;
        std::exception_ptr error;
        Generator get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(long v) {
            value = v;
            return {};
        }
        void return_void() {}
        void unhandled_exception() { error = std::current_exception(); }
    };
    std::coroutine_handle<promise_type> handle;
    bool next() {
        handle.resume();
        if (handle.promise().error) std::rethrow_exception(handle.promise().error);
        return !handle.done();
    }
    long value() const { return handle.promise().value; }
    ~Generator() { handle.destroy(); }
};
struct Guard {
    ~Guard() { std::printf("destroyed half-way\n"); }
};
static Generator fibonacci() {
    for (long a = 0, b = 1;; b += a, a = b - a) co_yield a;
}
static Generator throws() {
    co_yield 1;
    throw 5;
}
static Generator guarded() {
    Guard guard;
    co_yield 1;
    co_yield 2;
}
int main() {
    {
        auto numbers = fibonacci();
        for (int i = 0; i < 10; i++) {
            numbers.next();
            std::printf("%ld%c", numbers.value(), i == 9 ? '\n' : ' ');
        }
    }
    try {
        auto failing = throws();
        while (failing.next()) {}
    } catch (int) {
        std::printf("caught inside\n");
    }
    auto half = guarded();
    half.next();
}
