// The optimizer's pipelines: those of LLVM, without an inliner.
#include "optimize.h"

#include "llvm/Transforms/IPO/SCCP.h"
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

// Of all that it defines; they are all alike.
static void set_linkage(Module &module, GlobalValue::LinkageTypes linkage) {
  for (Function &function : module)
    if (!function.isDeclaration()) function.setLinkage(linkage);
}

Optimizer::Optimizer(TargetMachine &machine, unsigned level) : Analyses(machine) {
  opt_none.registerCallbacks(callbacks);
  // As LLVM's own pipeline has it, pass by pass: small differences here decide what becomes of branches, and
  // a program in pieces is to be the same code.
  FunctionPassManager first, last;
  first.addPass(LowerExpectIntrinsicPass());
  first.addPass(SimplifyCFGPass());
  first.addPass(SROAPass(SROAOptions::ModifyCFG));
  first.addPass(EarlyCSEPass());
  last.addPass(InstCombinePass());
  last.addPass(SimplifyCFGPass(SimplifyCFGOptions().convertSwitchRangeToICmp(true)));
  cleaning.addPass(createModuleToFunctionPassAdaptor(std::move(first)));
  cleaning.addPass(IPSCCPPass(IPSCCPOptions(/*AllowFuncSpec=*/false)));
  cleaning.addPass(createModuleToFunctionPassAdaptor(std::move(last)));
  // Not the ready-made pipeline: its inliner can run once only, and sees one function.
  static const OptimizationLevel levels[] = {OptimizationLevel::O1, OptimizationLevel::O2,
                                             OptimizationLevel::O3};
  auto chosen = levels[level - 1];
  auto simplify = builder.buildFunctionSimplificationPipeline(chosen, ThinOrFullLTOPhase::None);
  simplification.addPass(createModuleToFunctionPassAdaptor(std::move(simplify)));
  if (level > 1) finishing = builder.buildModuleOptimizationPipeline(chosen, ThinOrFullLTOPhase::None);
}

bool Optimizer::clean_if_needed(Module &module) {
  auto needs_it = [](const Function &function) {
    return !function.isDeclaration() && !function.hasOptNone() && !is_clean(function);
  };
  if (none_of(module, needs_it)) return false;
  // Calls of a weak one may mean another definition: what it returns is not to be known to others here.
  set_linkage(module, GlobalValue::WeakAnyLinkage);
  modules.invalidate(module, cleaning.run(module, modules));
  set_linkage(module, GlobalValue::ExternalLinkage);
  return true;
}

void Optimizer::simplify(Module &module) {
  modules.invalidate(module, simplification.run(module, modules));
}

void Optimizer::finish(Module &module) {
  finishing.run(module, modules);
  clear();
}
