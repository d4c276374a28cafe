// Switches of few cases as comparisons.
#include "quick.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Constants.h"

#include <vector>

using namespace llvm;

namespace {

// From here on a table is quicker, both to make and to jump through.
constexpr unsigned MostClusters = 8;

// Values that follow each other and lead to the same block.
struct Cluster {
  APInt low, high;
  BasicBlock *target;
};

std::vector<Cluster> clusters(SwitchInst &instruction) {
  std::vector<Cluster> list;
  for (auto each : instruction.cases()) {
    const APInt &value = each.getCaseValue()->getValue();
    list.push_back({value, value, each.getCaseSuccessor()});
  }
  llvm::sort(list, [](const Cluster &a, const Cluster &b) { return a.low.slt(b.low); });
  size_t count = 0;
  for (Cluster &next : list)
    if (count > 0 && list[count - 1].target == next.target && list[count - 1].high + 1 == next.low)
      list[count - 1].high = next.high;
    else
      list[count++] = next;
  list.erase(list.begin() + count, list.end());
  return list;
}

// A tree of comparisons in place of a switch.
class Tree {
public:
  explicit Tree(SwitchInst &instruction)
      : instruction(instruction), value(instruction.getCondition()), other(*instruction.getDefaultDest()) {}

  void build(ArrayRef<Cluster> list) {
    BasicBlock &block = *instruction.getParent();
    SmallPtrSet<BasicBlock *, 16> targets(succ_begin(&block), succ_end(&block));
    for (BasicBlock *target : targets)
      for (PHINode &phi : target->phis()) {
        values[&phi] = phi.getIncomingValueForBlock(&block);
        phi.removeIncomingValueIf([&](unsigned index) { return phi.getIncomingBlock(index) == &block; }, false);
      }
    choose(list, block);
    instruction.eraseFromParent();
  }

private:
  // Ends `block` with what finds the target among these.
  void choose(ArrayRef<Cluster> list, BasicBlock &block) {
    if (list.size() == 1) return test(list.front(), block);
    size_t middle = list.size() / 2;
    BasicBlock *right = add_block(block), *left = add_block(block);
    branch(block, CmpInst::ICMP_SLT, value, constant(list[middle].low), *left, *right);
    choose(list.take_front(middle), *left);
    choose(list.drop_front(middle), *right);
  }

  void test(const Cluster &cluster, BasicBlock &block) {
    Value *low = constant(cluster.low);
    if (cluster.low == cluster.high) {
      branch(block, CmpInst::ICMP_EQ, value, low, *cluster.target, other);
    } else {
      auto *distance = BinaryOperator::CreateSub(value, low, "", end(block));
      distance->setDebugLoc(instruction.getDebugLoc());
      branch(block, CmpInst::ICMP_ULE, distance, constant(cluster.high - cluster.low), *cluster.target, other);
    }
    lead(block, *cluster.target), lead(block, other);
  }

  Constant *constant(const APInt &number) { return ConstantInt::get(value->getType(), number); }

  BasicBlock::iterator end(BasicBlock &block) {
    return &block == instruction.getParent() ? instruction.getIterator() : block.end();
  }

  BasicBlock *add_block(BasicBlock &before) {
    return BasicBlock::Create(before.getContext(), "", before.getParent(), before.getNextNode());
  }

  void branch(BasicBlock &block, CmpInst::Predicate predicate, Value *a, Value *b, BasicBlock &yes, BasicBlock &no) {
    auto *comparison = new ICmpInst(end(block), predicate, a, b);
    auto *branch = BranchInst::Create(&yes, &no, comparison, end(block));
    comparison->setDebugLoc(instruction.getDebugLoc());
    branch->setDebugLoc(instruction.getDebugLoc());
  }

  // What the values at the beginning of a block are, coming from another one.
  void lead(BasicBlock &from, BasicBlock &to) {
    for (PHINode &phi : to.phis()) phi.addIncoming(values.lookup(&phi), &from);
  }

  SwitchInst &instruction;
  Value *value;
  BasicBlock &other;
  DenseMap<PHINode *, Value *> values;
};

} // namespace

void compare_few(SwitchInst &instruction) {
  if (instruction.getNumCases() == 0 || !is_simple(*instruction.getCondition()->getType())) return;
  std::vector<Cluster> list = clusters(instruction);
  if (list.size() <= MostClusters) Tree(instruction).build(list);
}
