// A crash inside LLVM fails what was asked of it, and not the process.
#include "crash.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace {

constexpr int Caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
// Room for the handler where LLVM has used up its own stack.
constexpr size_t StackSize = 64 << 10;

bool is_contained = false;
struct sigaction previous[NSIG];
thread_local Landing *landing = nullptr;
// The threads' stacks for the handler. What C++ destroys when a thread ends, the C library notes under the
// dynamic linker's lock, which somebody may hold who waits for this thread; and `operator delete` may be
// the program's own then.
pthread_key_t handler_stacks;
bool has_handler_stacks = false;

void *handler_stack() {
  if (!has_handler_stacks) return nullptr;
  void *stack = pthread_getspecific(handler_stacks);
  if (!stack && (stack = malloc(StackSize))) pthread_setspecific(handler_stacks, stack);
  return stack;
}

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
  has_handler_stacks = pthread_key_create(&handler_stacks, free) == 0;
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
  stack_t stack = {};
  stack.ss_sp = handler_stack();
  stack.ss_size = StackSize;
  stack.ss_flags = stack.ss_sp ? 0 : SS_DISABLE;
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
