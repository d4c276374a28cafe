// Coroutines that the compiler which wrote the module has left, as pipelines for link-time optimization
// and compilers that run no passes do.
#include "coroutines.h"
#include "analyses.h"

#include "llvm/Transforms/Coroutines/CoroCleanup.h"
#include "llvm/Transforms/Coroutines/CoroEarly.h"
#include "llvm/Transforms/Coroutines/CoroSplit.h"

using namespace llvm;

static bool has_coroutines(const Module &module) {
  return any_of(module, [](const Function &function) {
    return function.isDeclaration() && !function.use_empty() && function.getName().starts_with("llvm.coro.");
  });
}

void split_coroutines(Module &module, TargetMachine &machine) {
  if (!has_coroutines(module)) return;
  Analyses analyses(machine);
  ModulePassManager passes;
  passes.addPass(CoroEarlyPass());
  CGSCCPassManager components;
  components.addPass(CoroSplitPass());
  passes.addPass(createModuleToPostOrderCGSCCPassAdaptor(std::move(components)));
  passes.addPass(CoroCleanupPass());
  passes.run(module, analyses.modules);
}
