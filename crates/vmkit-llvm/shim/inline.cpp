// Functions become part of those that call them.
//
// LLVM's inliner goes over a module from the leaves upwards. Here a module is one function, and what it
// calls is elsewhere: the library of candidates gives bodies, small ones that were worked on in the
// same way before. What may be inlined, and when it is worth it, is LLVM's own judgement.
#include "library.h"
#include "optimize.h"

#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/InlineCost.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace {

// A function grows by inlining to twice its size and this many instructions, and no more.
constexpr unsigned Growth = 3000;
// A body that is readied for inlining grows to so many: much larger ones LLVM inlines only where something
// speaks for it. Or a short function would not be inlined any more because its slow path was part of it.
// What is not inlined there still is where the body ends up, if that is worth it.
constexpr unsigned LargestReady = 60;

// Does the code after a call lead nowhere? Nothing is gained there.
bool is_dead_end(const CallBase &call) {
  auto *invoke = dyn_cast<InvokeInst>(&call);
  const BasicBlock *next = invoke ? invoke->getNormalDest() : call.getParent();
  return isa<UnreachableInst>(next->getTerminator());
}

Function *callee(const CallBase &call) {
  Function *function = call.getCalledFunction();
  bool is_candidate = function && !function->isIntrinsic() && function->isDeclaration() && !call.isNoInline() &&
                      function->getCallingConv() == call.getCallingConv();
  return is_candidate && (!is_dead_end(call) || call.hasFnAttr(Attribute::AlwaysInline)) ? function : nullptr;
}

// Lines of the callee's make sense only as seen from a line of the caller's.
void settle_lines(CallBase &call, Function &copy) {
  DISubprogram *caller = call.getFunction()->getSubprogram();
  if (!caller) stripDebugInfo(copy);
  if (caller && copy.getSubprogram() && !call.getDebugLoc())
    call.setDebugLoc(DILocation::get(call.getContext(), 0, 0, caller));
}

} // namespace

struct Inliner::Site {
  CallBase *call;
  // The chain of functions whose bodies it came with: an index, or -1.
  int history;
};

// One pass over one function.
class Inliner::Run {
public:
  Run(Inliner &inliner, Function &caller)
      : inliner(inliner), into(inliner.into), caller(caller), optimizer(*into.worker.optimizer),
        parameters(getInlineParams(into.worker.options.level, 0)), room(2 * caller.getInstructionCount() + Growth) {}

  bool run(const DenseMap<const Function *, Extract *> &known) {
    for (Instruction &instruction : instructions(caller))
      if (auto *call = dyn_cast<CallBase>(&instruction))
        if (Function *function = callee(*call); function && !known.contains(function)) sites.push_back({call, -1});
    hottest_first(0);
    bool is_changed = false;
    for (size_t i = 0; i < sites.size(); ++i) is_changed |= visit(sites[i]);
    for (auto [from, copy] : copies) {
      optimizer.functions.clear(*copy, "");
      discard(*copy);
    }
    if (is_changed) optimizer.functions.clear(caller, "");
    return is_changed;
  }

private:
  // What there is room for goes to loops.
  void hottest_first(size_t start) {
    if (sites.size() - start < 2) return;
    auto &known = frequencies(caller);
    auto frequency = [&](const Site &site) { return known.getBlockFreq(site.call->getParent()); };
    std::stable_sort(sites.begin() + start, sites.end(),
                     [&](const Site &a, const Site &b) { return frequency(a) > frequency(b); });
  }

  bool visit(Site site) {
    Function *function = callee(*site.call);
    if (!function || is_recursive(*function, site.history)) return false;
    auto [place, is_new] = inliner.candidates.try_emplace(function, nullptr);
    if (is_new) {
      Extract *found = find_candidate(into, *function, inliner.depth);
      place = inliner.candidates.find(function);
      place->second = found;
    }
    Extract *body = place->second;
    if (!body || body->function->getFunctionType() != function->getFunctionType() ||
        body->function->getCallingConv() != function->getCallingConv())
      return false;
    if (!is_worth_it(*site.call, *body)) return false;
    return inline_body(site, *function, *body);
  }

  bool is_recursive(const Function &function, int history) const {
    if (&function == &caller) return true;
    for (; history >= 0; history = histories[history].second)
      if (histories[history].first == &function) return true;
    return false;
  }

  bool is_worth_it(CallBase &call, Extract &body) {
    Function &function = *body.function;
    auto &target = optimizer.functions.getResult<TargetIRAnalysis>(function);
    if (!target.areInlineCompatible(&caller, &function)) return false;
    auto assumptions = [&](Function &f) -> AssumptionCache & { return optimizer.functions.getResult<AssumptionAnalysis>(f); };
    auto library = [&](Function &f) -> const TargetLibraryInfo & { return optimizer.functions.getResult<TargetLibraryAnalysis>(f); };
    auto cost = getInlineCost(call, &function, parameters, target, assumptions, library,
                              [&](Function &f) -> BlockFrequencyInfo & { return frequencies(f); });
    if (!cost || cost.isAlways()) return bool(cost);
    unsigned size = function.getInstructionCount();
    bool stays_small = inliner.depth == 0 || caller.getInstructionCount() + size <= LargestReady || cost.getCost() <= 0;
    return stays_small && size <= room;
  }

  bool inline_body(Site site, Function &function, Extract &body) {
    Function *&copy = copies[&body];
    if (!copy) copy = import(into, body);
    settle_lines(*site.call, *copy);
    auto assumptions = [&](Function &f) -> AssumptionCache & { return optimizer.functions.getResult<AssumptionAnalysis>(f); };
    InlineFunctionInfo info(assumptions, nullptr, &frequencies(caller), &frequencies(*copy));
    site.call->setCalledFunction(copy);
    auto result = InlineFunction(*site.call, info, /*MergeAttributes=*/true);
    if (!result.isSuccess()) {
      site.call->setCalledFunction(&function);
      return false;
    }
    room -= std::min<unsigned>(room, copy->getInstructionCount());
    note_inlined(into, body);
    if (info.InlinedCallSites.empty()) return true;
    histories.push_back({&function, site.history});
    size_t start = sites.size();
    for (CallBase *call : info.InlinedCallSites)
      if (callee(*call)) sites.push_back({call, static_cast<int>(histories.size()) - 1});
    hottest_first(start);
    return true;
  }

  BlockFrequencyInfo &frequencies(Function &function) {
    return optimizer.functions.getResult<BlockFrequencyAnalysis>(function);
  }

  Inliner &inliner;
  Extract &into;
  Function &caller;
  Optimizer &optimizer;
  InlineParams parameters;
  // How many instructions it may still grow by.
  unsigned room;
  std::vector<Site> sites;
  std::vector<std::pair<const Function *, int>> histories;
  MapVector<Extract *, Function *> copies;
};

bool Inliner::run() {
  bool is_changed = false;
  auto known = candidates;
  for (Function &function : *into.module)
    if (!function.isDeclaration() && !function.hasOptNone()) is_changed |= Run(*this, function).run(known);
  return is_changed;
}
