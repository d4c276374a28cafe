// Statepoints, and polls: what a garbage collector needs of compiled code.
#ifndef VMKIT_SAFEPOINT_H
#define VMKIT_SAFEPOINT_H

#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"

namespace llvm {
class TargetMachine;
}

// Makes the calls of functions with a garbage collector statepoints, after they were optimized.
struct Statepoints {
  explicit Statepoints(llvm::TargetMachine &machine);
  static bool are_wanted(const llvm::Module &module);
  // With `polls`, threads can be stopped where such functions begin and where they loop.
  void run(llvm::Module &module, bool polls);

private:
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
};

#endif
