// Surviving crashes of LLVM.
#ifndef VMKIT_CRASH_H
#define VMKIT_CRASH_H

#include <csetjmp>
#include <csignal>
#include <string>

// From now on, signals that a crash raises inside a `Landing` lead to it. Elsewhere they do what they
// did before.
void contain_crashes();

// Where this thread goes on after a crash: whoever makes one calls `sigsetjmp` on its buffer if it is
// active. What LLVM was at is left as it is, with all its locks and memory.
struct Landing {
  Landing();
  ~Landing();
  Landing(const Landing &) = delete;
  const bool is_active;
  sigjmp_buf buffer;

private:
  stack_t old_stack;
  sigset_t old_mask;
};

std::string crash_text(int signal);

#endif
