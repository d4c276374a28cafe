// The optimizer's pipelines, each built once a worker.
#ifndef VMKIT_OPTIMIZE_H
#define VMKIT_OPTIMIZE_H

#include "analyses.h"

#include "llvm/Passes/StandardInstrumentations.h"

// Optimizes modules of one function each, all in the same way.
struct Optimizer : Analyses {
  explicit Optimizer(llvm::TargetMachine &machine, unsigned level);
  // What makes a function as small as those from a compiler that optimizes.
  void clean(llvm::Function &function);
  void clean_if_needed(llvm::Function &function);
  // The pipeline of a function.
  void simplify(llvm::Module &module);
  // The pipeline of a module of simplified functions.
  void finish(llvm::Module &module);

private:
  // Leaves functions alone that say so.
  llvm::OptNoneInstrumentation opt_none{/*DebugLogging=*/false};
  llvm::FunctionPassManager cleaning;
  llvm::ModulePassManager simplification, finishing;
};

#endif
