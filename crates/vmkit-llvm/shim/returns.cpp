// Calls in front of a return that several blocks share.
#include "quick.h"

using namespace llvm;

namespace {

// The return that a block goes straight to, if there is nothing else on the way.
ReturnInst *shared_return(const BasicBlock &block) {
  auto *branch = dyn_cast<BranchInst>(block.getTerminator());
  if (!branch || branch->isConditional()) return nullptr;
  BasicBlock &end = *branch->getSuccessor(0);
  auto first = end.getFirstNonPHIIt();
  return first == end.end() ? nullptr : dyn_cast<ReturnInst>(&*first);
}

// What is returned, coming from a block.
Value *returned(const ReturnInst &ret, const BasicBlock &from) {
  auto *phi = dyn_cast_or_null<PHINode>(ret.getReturnValue());
  return phi && phi->getParent() == ret.getParent() ? phi->getIncomingValueForBlock(&from) : ret.getReturnValue();
}

} // namespace

void return_at_once(BasicBlock &block) {
  ReturnInst *shared = shared_return(block);
  if (!shared) return;
  auto *call = dyn_cast_or_null<CallInst>(block.getTerminator()->getPrevNode());
  Value *value = returned(*shared, block);
  if (!call || !call->isTailCall() || (value && value != call)) return;
  auto *own = ReturnInst::Create(block.getContext(), value, block.getTerminator()->getIterator());
  own->setDebugLoc(shared->getDebugLoc());
  shared->getParent()->removePredecessor(&block, /*KeepOneInputPHIs=*/true);
  block.getTerminator()->eraseFromParent();
}
