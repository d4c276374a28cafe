// The optimizer's pipelines, each built once a worker.
#ifndef VMKIT_OPTIMIZE_H
#define VMKIT_OPTIMIZE_H

#include "analyses.h"

#include "llvm/Passes/StandardInstrumentations.h"

// Optimizes modules of one function each, all in the same way.
struct Optimizer : Analyses {
  explicit Optimizer(llvm::TargetMachine &machine, unsigned level);
  // What is done to a module before anything is inlined, unless a compiler did it that optimizes. Did it?
  bool clean_if_needed(llvm::Module &module);
  // The pipeline of a function.
  void simplify(llvm::Module &module);
  // The pipeline of a module of simplified functions.
  void finish(llvm::Module &module);

private:
  // Leaves functions alone that say so.
  llvm::OptNoneInstrumentation opt_none{/*DebugLogging=*/false};
  llvm::ModulePassManager cleaning, simplification, finishing;
};

#endif
