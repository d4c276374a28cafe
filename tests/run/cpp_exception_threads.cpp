// about: exceptions in several threads at once, and handed from one to another
// > from promise: broken
// > exception_ptr: carried 7
// > async: 8
// > 8 threads caught 8000
#include <atomic>
#include <cstdio>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "check.h"

static NOINLINE void thrower(int depth, int value) {
    std::string cleanup = "a string that needs the heap to hold it";
    if (depth == 0) throw value;
    thrower(depth - 1, value);
}
int main() {
    std::promise<int> promise;
    std::thread breaker(
        [&] { promise.set_exception(std::make_exception_ptr(std::runtime_error("broken"))); });
    try {
        promise.get_future().get();
    } catch (const std::exception &e) {
        std::printf("from promise: %s\n", e.what());
    }
    breaker.join();

    std::exception_ptr carried;
    std::thread([&] {
        try {
            thrower(3, 7);
        } catch (...) {
            carried = std::current_exception();
        }
    }).join();
    try {
        std::rethrow_exception(carried);
    } catch (int x) {
        std::printf("exception_ptr: carried %d\n", x);
    }
    auto future = std::async(std::launch::async, [] { thrower(2, 8); });
    try {
        future.get();
    } catch (int x) {
        std::printf("async: %d\n", x);
    }
    std::atomic<int> caught = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&caught, t] {
            for (int i = 0; i < 1000; i++) {
                try {
                    thrower(t, i);
                } catch (int x) {
                    caught += x == i;
                }
            }
        });
    }
    for (auto &thread : threads) thread.join();
    std::printf("8 threads caught %d\n", caught.load());
}
