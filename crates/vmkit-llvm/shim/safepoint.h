// Statepoints, and polls: what a garbage collector needs of compiled code.
#ifndef VMKIT_SAFEPOINT_H
#define VMKIT_SAFEPOINT_H

#include "analyses.h"

// Makes the calls of functions with a garbage collector statepoints, after they were optimized.
struct Statepoints : private Analyses {
  using Analyses::Analyses;
  static bool are_wanted(const llvm::Module &module);
  // With `polls`, threads can be stopped where such functions begin and where they loop.
  void run(llvm::Module &module, bool polls);
};

#endif
