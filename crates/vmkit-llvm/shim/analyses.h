// What LLVM's passes know of functions and modules.
#ifndef VMKIT_ANALYSES_H
#define VMKIT_ANALYSES_H

#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"

namespace llvm {
class TargetMachine;
}

struct Analyses {
  explicit Analyses(llvm::TargetMachine &machine)
      : builder(&machine, llvm::PipelineTuningOptions(), std::nullopt, &callbacks) {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
  }

  // Forgets what is known of any function and module.
  void clear() { loops.clear(), functions.clear(), components.clear(), modules.clear(); }

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::PassBuilder builder;
};

#endif
