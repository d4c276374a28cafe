// about: forks while other threads and signal handlers call functions for the first time; so do the children
// run: --threads 1
// cflags: -O1
// > all children ended
#include <atomic>
#include <csignal>
#include <cstdio>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

template <int N> struct Chain {
    __attribute__((noinline)) static long run(long x) { return Chain<N - 1>::run(x * 3 + N); }
};
template <> struct Chain<0> {
    static long run(long x) { return x; }
};

static std::atomic<long> sink;
static void handle(int) { sink += Chain<40>::run(1); }

static bool child_ends() {
    pid_t child = fork();
    if (child == 0) {
        sink += Chain<180>::run(2);
        _exit(7);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

int main() {
    signal(SIGALRM, handle);
    ualarm(200, 200);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++) threads.emplace_back([] { sink += Chain<200>::run(3); });
    int ended = 0;
    for (int i = 0; i < 30; i++) ended += child_ends();
    for (std::thread &thread : threads) thread.join();
    ualarm(0, 0);
    std::puts(ended == 30 ? "all children ended" : "some did not");
}
