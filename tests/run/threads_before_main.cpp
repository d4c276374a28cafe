// about: threads that constructors start before main, and that outlive it
// > thread before main saw tls 3
// > joined in a destructor, sum 4950
#include <atomic>
#include <cstdio>
#include <thread>

static thread_local int tls = 3;
struct Worker {
    std::atomic<bool> stop = false;
    std::atomic<int> sum = 0;
    std::thread thread;
    Worker();
    ~Worker();
};
static int add(int i) { return i; }
Worker::Worker() {
    std::thread([] { std::printf("thread before main saw tls %d\n", tls); }).join();
    thread = std::thread([this] {
        while (!stop) std::this_thread::yield();
        for (int i = 0; i < 100; i++) sum += add(i);
    });
}
Worker::~Worker() {
    stop = true;
    thread.join();
    std::printf("joined in a destructor, sum %d\n", sum.load());
}
static Worker worker;
int main() { return 0; }
