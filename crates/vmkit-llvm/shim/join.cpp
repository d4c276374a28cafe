// Blocks that many others lead to, most of them with the same values.
#include "quick.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/CFG.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

#include <numeric>
#include <vector>

using namespace llvm;

namespace {

// A block in between is worth no fewer copies.
constexpr size_t FewestSaved = 16;
// Nor less than such a share of all copies that the block takes: so they are gone through a few times only.
constexpr size_t SmallestShare = 16;

// What a value at the beginning of a block mostly is, by predecessor.
struct Phi {
  std::vector<Value *> values;
  Value *common = nullptr;
  size_t count = 0;
};

// Predecessors that lead to a block with the same values, and how many copies of them are too many.
struct Group {
  std::vector<BasicBlock *> members;
  size_t saved = 0;
};

// Those that end in a mere branch: only of them an edge can be led elsewhere whatever it carries.
std::vector<BasicBlock *> movable_predecessors(BasicBlock &block) {
  SmallPtrSet<BasicBlock *, 16> seen;
  std::vector<BasicBlock *> list;
  for (BasicBlock *predecessor : predecessors(&block))
    if (isa<BranchInst>(predecessor->getTerminator()) && seen.insert(predecessor).second)
      list.push_back(predecessor);
  return list;
}

Phi look_at(const PHINode &node, ArrayRef<BasicBlock *> predecessors) {
  SmallDenseMap<const BasicBlock *, Value *, 16> incoming;
  for (auto [block, value] : zip(node.blocks(), node.incoming_values())) incoming[block] = value;
  Phi phi;
  SmallDenseMap<Value *, size_t, 16> counts;
  for (BasicBlock *block : predecessors) {
    Value *value = incoming.lookup(block);
    phi.values.push_back(value);
    if (size_t count = ++counts[value]; count > phi.count) phi.common = value, phi.count = count;
  }
  return phi;
}

// The group that saves most: of all that agree in the most common values of some.
Group choose(BasicBlock &block) {
  Group best;
  std::vector<BasicBlock *> all = movable_predecessors(block);
  std::vector<Phi> phis;
  for (const PHINode &node : block.phis()) phis.push_back(look_at(node, all));
  if (all.size() * phis.size() < FewestSaved) return best;
  llvm::stable_sort(phis, [](const Phi &a, const Phi &b) { return a.count > b.count; });
  std::vector<size_t> members(all.size());
  std::iota(members.begin(), members.end(), 0);
  size_t distinct = SmallPtrSet<BasicBlock *, 16>(pred_begin(&block), pred_end(&block)).size();
  size_t least = std::max(FewestSaved, all.size() * phis.size() / SmallestShare), agreed = 0;
  for (const Phi &phi : phis) {
    erase_if(members, [&](size_t member) { return phi.values[member] != phi.common; });
    if (members.empty()) break;
    size_t saved = (members.size() - 1) * ++agreed;
    if (saved < least || saved <= best.saved || members.size() == distinct) continue;
    best = {{}, saved};
    for (size_t member : members) best.members.push_back(all[member]);
  }
  return best;
}

} // namespace

void join_alike(Function &function) {
  std::vector<BasicBlock *> left;
  for (BasicBlock &block : function)
    if (!block.isEHPad() && block.hasNPredecessorsOrMore(3)) left.push_back(&block);
  while (!left.empty()) {
    BasicBlock *block = left.back();
    Group group = choose(*block);
    BasicBlock *between = group.saved ? SplitBlockPredecessors(block, group.members, ".alike") : nullptr;
    if (between)
      left.push_back(between);
    else
      left.pop_back();
  }
}
