// Addresses at a fixed distance from another, computed where they are used.
#include "quick.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace {

// The uses in other blocks; none if one of them is at the end of an edge, where nothing is saved.
SmallVector<Use *> uses_elsewhere(Instruction &address) {
  SmallVector<Use *> uses;
  for (Use &use : address.uses()) {
    auto &user = cast<Instruction>(*use.getUser());
    if (isa<PHINode>(user)) return {};
    if (user.getParent() != address.getParent()) uses.push_back(&use);
  }
  return uses;
}

void sink(GetElementPtrInst &address) {
  SmallDenseMap<BasicBlock *, Instruction *, 4> copies;
  for (Use *use : uses_elsewhere(address)) {
    BasicBlock *block = cast<Instruction>(use->getUser())->getParent();
    Instruction *&copy = copies[block];
    if (!copy) {
      copy = address.clone();
      copy->insertInto(block, block->getFirstInsertionPt());
    }
    use->set(copy);
  }
  if (address.use_empty()) address.eraseFromParent();
}

} // namespace

void sink_addresses(Function &function) {
  // What it says of addresses would be lost.
  if (function.getSubprogram()) return;
  // Each block from its end: a copy needs the address that it is computed from, whose own turn comes later.
  for (BasicBlock &block : function)
    for (Instruction &instruction : make_early_inc_range(reverse(block)))
      if (auto *address = dyn_cast<GetElementPtrInst>(&instruction); address && address->hasAllConstantIndices())
        sink(*address);
}
