// The optimizer's pipelines: those of LLVM, without an inliner.
#include "optimize.h"

#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LowerExpectIntrinsic.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/PromoteMemToReg.h"

using namespace llvm;

// Does a compiler that optimizes leave such code?
static bool is_clean(const Function &function) {
  return none_of(function.getEntryBlock(), [](const Instruction &instruction) {
    auto *local = dyn_cast<AllocaInst>(&instruction);
    return local && isAllocaPromotable(local);
  });
}

Optimizer::Optimizer(TargetMachine &machine, unsigned level) : Analyses(machine) {
  opt_none.registerCallbacks(callbacks);
  cleaning.addPass(LowerExpectIntrinsicPass());
  cleaning.addPass(SimplifyCFGPass());
  cleaning.addPass(SROAPass(SROAOptions::ModifyCFG));
  cleaning.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  cleaning.addPass(InstCombinePass());
  cleaning.addPass(SimplifyCFGPass());
  // Not the ready-made pipeline: its inliner can run once only, and sees one function.
  static const OptimizationLevel levels[] = {OptimizationLevel::O1, OptimizationLevel::O2,
                                             OptimizationLevel::O3};
  auto chosen = levels[level - 1];
  auto simplify = builder.buildFunctionSimplificationPipeline(chosen, ThinOrFullLTOPhase::None);
  simplification.addPass(createModuleToFunctionPassAdaptor(std::move(simplify)));
  if (level > 1) finishing = builder.buildModuleOptimizationPipeline(chosen, ThinOrFullLTOPhase::None);
}

void Optimizer::clean(Function &function) { functions.invalidate(function, cleaning.run(function, functions)); }

void Optimizer::clean_if_needed(Function &function) {
  if (!function.hasOptNone() && !is_clean(function)) clean(function);
}

void Optimizer::simplify(Module &module) {
  modules.invalidate(module, simplification.run(module, modules));
}

void Optimizer::finish(Module &module) {
  finishing.run(module, modules);
  clear();
}
