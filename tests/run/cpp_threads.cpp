// about: std::thread, call_once, thread_local objects with destructors, condition variables
// cflags: -O0 -std=c++20
// cflags: -O2 -std=c++20
// > call_once 1
// > thread_local objects 5 made, 4 destroyed
// > main's own kept: 3
// > queue 4950
// > shared mutex 8000
// > jthread stopped
// > main's thread_local destroyed
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <queue>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> made, destroyed;
struct Tracked {
    int value = 0;
    std::string text = "needs a constructor";
    Tracked() { made++; }
    ~Tracked() { destroyed++; }
};
static thread_local Tracked tracked;
struct Last {
    bool is_main = false;
    ~Last() {
        if (is_main) std::printf("main's thread_local destroyed\n");
    }
};
static thread_local Last last;

int main() {
    last.is_main = true;
    std::once_flag once;
    std::atomic<int> calls = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&] { std::call_once(once, [&] { calls++; }); });
    for (auto &thread : threads) thread.join();
    std::printf("call_once %d\n", calls.load());

    threads.clear();
    for (int i = 0; i < 4; i++) threads.emplace_back([i] { tracked.value = i; });
    for (auto &thread : threads) thread.join();
    std::printf("thread_local objects %d made, %d destroyed\n", made.load(), destroyed.load());
    tracked.value = 3;
    std::thread([] { tracked.value = 4; }).join();
    std::printf("main's own kept: %d\n", tracked.value);

    std::mutex mutex;
    std::condition_variable condition;
    std::queue<int> queue;
    int sum = 0;
    std::thread consumer([&] {
        for (int received = 0; received < 100; received++) {
            std::unique_lock lock(mutex);
            condition.wait(lock, [&] { return !queue.empty(); });
            sum += queue.front();
            queue.pop();
        }
    });
    for (int i = 0; i < 100; i++) {
        std::lock_guard lock(mutex);
        queue.push(i);
        condition.notify_one();
    }
    consumer.join();
    std::printf("queue %d\n", sum);

    std::shared_mutex shared;
    int counter = 0;
    threads.clear();
    for (int i = 0; i < 8; i++) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; n++) {
                std::unique_lock lock(shared);
                counter++;
            }
        });
    }
    for (auto &thread : threads) thread.join();
    std::printf("shared mutex %d\n", counter);

    std::jthread worker([](std::stop_token token) {
        while (!token.stop_requested()) std::this_thread::yield();
        std::printf("jthread stopped\n");
    });
}
