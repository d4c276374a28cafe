#include "quick.h"

#include "llvm/IR/Constants.h"

#include <iterator>

using namespace llvm;

namespace {

// With so few instructions above it, one that is not known stays where it is.
constexpr unsigned Fewest = 3;

bool leads_to_simple_values(const Instruction &terminator) {
  for (const BasicBlock *next : successors(&terminator))
    for (const PHINode &phi : next->phis())
      if (!is_simple(*phi.getType())) return false;
  return true;
}

// Does the selector know it? (Calls need not be told from others: they are done one by one.)
bool is_known(const Instruction &instruction) {
  switch (instruction.getOpcode()) {
  case Instruction::Switch:
  case Instruction::Invoke:
  case Instruction::Fence:
  case Instruction::AtomicRMW:
  case Instruction::AtomicCmpXchg:
  case Instruction::UIToFP:
  case Instruction::FPToUI: return false;
  case Instruction::Load: return !cast<LoadInst>(instruction).isAtomic();
  case Instruction::Store: return !cast<StoreInst>(instruction).isAtomic();
  case Instruction::Br: return leads_to_simple_values(instruction);
  default: return true;
  }
}

// The first instruction of a block that can go into another one.
BasicBlock::iterator first_movable(BasicBlock &block) {
  auto first = block.getFirstInsertionPt();
  if (!block.isEntryBlock()) return first;
  // What the entry block allocates makes the frame.
  for (auto next = first; next != block.end(); ++next)
    if (isa<AllocaInst>(*next)) first = std::next(next);
  return first;
}

bool has_many_above(BasicBlock::iterator first, const Instruction &instruction) {
  unsigned count = 0;
  for (; count < Fewest && &*first != &instruction; ++first) ++count;
  return count == Fewest;
}

// From the end: what has been split off is done.
void isolate_unknown(BasicBlock &block) {
  auto first = first_movable(block);
  if (first == block.end()) return;
  for (auto place = std::prev(block.end()); place != first;) {
    Instruction &instruction = *place--;
    if (is_known(instruction) || !has_many_above(first, instruction)) continue;
    block.splitBasicBlock(instruction.getIterator());
    // Behind the branch that has come instead.
    place = std::prev(block.end(), 2);
  }
}

bool is_constant(const Value *value, bool wanted) {
  auto *constant = dyn_cast<ConstantInt>(value);
  return constant && constant->isOne() == wanted;
}

// `a && b` and `a || b` of values that are at hand become bitwise. (What is undefined in `b` cannot
// spread: the machine's bits are something, each time they are read the same.)
void simplify(SelectInst &select) {
  if (!select.getType()->isIntegerTy(1)) return;
  Value *condition = select.getCondition();
  Instruction *result = nullptr;
  if (is_constant(select.getFalseValue(), false))
    result = BinaryOperator::CreateAnd(condition, select.getTrueValue(), "", select.getIterator());
  else if (is_constant(select.getTrueValue(), true))
    result = BinaryOperator::CreateOr(condition, select.getFalseValue(), "", select.getIterator());
  if (!result) return;
  result->setDebugLoc(select.getDebugLoc());
  select.replaceAllUsesWith(result);
  select.eraseFromParent();
}

} // namespace

bool is_simple(const Type &type) {
  if (const auto *integer = dyn_cast<IntegerType>(&type)) return integer->getBitWidth() <= 64;
  return type.isPointerTy() || type.isFloatTy() || type.isDoubleTy();
}

void prepare_quick_selection(Module &module) {
  for (Function &function : module) {
    // What belongs to a statepoint is in its block.
    if (function.hasGC()) continue;
    sink_addresses(function);
    for (BasicBlock &block : make_early_inc_range(function)) {
      for (Instruction &instruction : make_early_inc_range(block))
        if (auto *select = dyn_cast<SelectInst>(&instruction)) simplify(*select);
      if (auto *choice = dyn_cast<SwitchInst>(block.getTerminator())) compare_few(*choice);
      return_at_once(block);
      isolate_unknown(block);
    }
  }
}
