// A crash inside LLVM fails what was asked of it, and not the process.
#include "crash.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>

namespace {

constexpr int Caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
// Room for the handler where LLVM has used up its own stack.
constexpr size_t StackSize = 64 << 10;

bool is_contained = false;
struct sigaction previous[NSIG];
thread_local Landing *landing = nullptr;
// Not by `operator delete`, which may be the program's own when a thread ends.
struct Free {
  void operator()(char *block) const { free(block); }
};
thread_local std::unique_ptr<char, Free> handler_stack;

// A fault, or `abort`: not what somebody else sent.
bool is_own(const siginfo_t &info) { return info.si_code > 0 || info.si_code == SI_TKILL; }

void on_crash(int signal, siginfo_t *info, void *) {
  if (landing && is_own(*info)) siglongjmp(landing->buffer, signal);
  // The program's: as if nobody had looked. A fault happens again; what was sent is sent again.
  sigaction(signal, &previous[signal], nullptr);
  if (info->si_code <= 0) raise(signal);
}

sigset_t caught_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : Caught) sigaddset(&set, signal);
  return set;
}

} // namespace

void contain_crashes() {
  if (is_contained) return;
  is_contained = true;
  for (int signal : Caught) {
    struct sigaction action = {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, &previous[signal]);
  }
}

// As the C library's; a handler of ours is not shown.
extern "C" int vk_sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  int result = sigaction(signal, action, old);
  if (result == 0 && old && old->sa_sigaction == on_crash) *old = previous[signal];
  return result;
}

extern "C" sighandler_t vk_signal(int signal, sighandler_t handler) {
  sighandler_t old = ::signal(signal, handler);
  return reinterpret_cast<void *>(old) == reinterpret_cast<void *>(on_crash) ? previous[signal].sa_handler : old;
}

Landing::Landing() : is_active(is_contained && !landing) {
  if (!is_active) return;
  if (!handler_stack) handler_stack.reset(static_cast<char *>(malloc(StackSize)));
  stack_t stack = {};
  stack.ss_sp = handler_stack.get();
  stack.ss_size = StackSize;
  stack.ss_flags = handler_stack ? 0 : SS_DISABLE;
  sigaltstack(&stack, &old_stack);
  sigset_t set = caught_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, &old_mask);
  landing = this;
}

Landing::~Landing() {
  if (!is_active) return;
  landing = nullptr;
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
  sigaltstack(&old_stack, nullptr);
}

std::string crash_text(int signal) { return std::string("LLVM crashed: ") + strsignal(signal); }
