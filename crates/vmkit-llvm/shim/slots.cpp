// Spill slots that never hold anything at the same time become one.
#include "slots.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/CodeGen/MachineFrameInfo.h"
#include "llvm/CodeGen/MachineFunctionPass.h"
#include "llvm/CodeGen/PseudoSourceValueManager.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"

#include <map>
#include <queue>

using namespace llvm;

namespace {

// Fewer slots than this are not worth the work.
constexpr unsigned Fewest = 16;

enum class Access { Load, Store, Other };

// What one instruction does with one slot.
struct Use {
  unsigned slot;
  unsigned place; // number of the instruction in the function
  bool is_store;
};

struct Block {
  unsigned begin = 0, end = 0; // places
  std::vector<Use> uses;
  // Slots that are read before they are written; those that are written; those whose contents are
  // wanted at either end; those that are wanted where an exception leads, at whichever place it
  // leaves the block.
  BitVector read, written, in, out, elsewhere;
};

// From the first place at which a slot's contents matter to the last.
struct Range {
  unsigned first = UINT_MAX, last = 0;
  void add(unsigned place) { first = std::min(first, place), last = std::max(last, place); }
};

class Sharing {
public:
  explicit Sharing(MachineFunction &function)
      : function(function), frame(function.getFrameInfo()), target(*function.getSubtarget().getInstrInfo()) {}

  bool run() {
    number_slots();
    if (frame_indices.size() < Fewest) return false;
    read_blocks();
    propagate();
    find_ranges();
    return share();
  }

private:
  void number_slots() {
    numbers.assign(frame.getObjectIndexEnd(), -1);
    for (int index = 0; index < frame.getObjectIndexEnd(); ++index) {
      if (!frame.isSpillSlotObjectIndex(index) || frame.isDeadObjectIndex(index) ||
          frame.getStackID(index) != TargetStackID::Default)
        continue;
      numbers[index] = frame_indices.size();
      frame_indices.push_back(index);
    }
    is_fixed.resize(frame_indices.size());
  }

  int number(int index) const { return index < 0 ? -1 : numbers[index]; }

  // Only what moves a register as a whole is understood.
  Access access(const MachineInstr &instruction, int index) const {
    int found = 0;
    TypeSize size = TypeSize::getFixed(0);
    if (target.isLoadFromStackSlot(instruction, found, size) && found == index) return Access::Load;
    if (target.isStoreToStackSlot(instruction, found, size) && found == index)
      return size.getFixedValue() == uint64_t(frame.getObjectSize(index)) ? Access::Store : Access::Other;
    return Access::Other;
  }

  void read_blocks() {
    blocks.resize(function.getNumBlockIDs());
    unsigned place = 0, count = frame_indices.size();
    for (MachineBasicBlock &machine_block : function) {
      Block &block = blocks[machine_block.getNumber()];
      for (BitVector *set : {&block.read, &block.written, &block.in, &block.out, &block.elsewhere}) set->resize(count);
      block.begin = place++;
      for (MachineInstr &instruction : machine_block) {
        read(block, instruction, place++);
      }
      block.end = place++;
    }
  }

  void read(Block &block, const MachineInstr &instruction, unsigned place) {
    for (const MachineOperand &operand : instruction.operands()) {
      int slot = operand.isFI() ? number(operand.getIndex()) : -1;
      if (slot < 0) continue;
      Access found = access(instruction, operand.getIndex());
      if (found == Access::Other) is_fixed.set(slot);
      bool is_store = found == Access::Store;
      block.uses.push_back({unsigned(slot), place, is_store});
      if (!is_store && !block.written.test(slot)) block.read.set(slot);
      if (is_store) block.written.set(slot);
    }
  }

  // Backwards, until nothing changes.
  void propagate() {
    bool is_changed = true;
    while (is_changed) {
      is_changed = false;
      for (MachineBasicBlock &machine_block : reverse(function)) {
        Block &block = blocks[machine_block.getNumber()];
        for (const MachineBasicBlock *next : machine_block.successors()) {
          block.out |= blocks[next->getNumber()].in;
          if (next->isEHPad() || next->isInlineAsmBrIndirectTarget()) block.elsewhere |= blocks[next->getNumber()].in;
        }
        BitVector in = block.out;
        in.reset(block.written);
        in |= block.read;
        in |= block.elsewhere;
        if (in == block.in) continue;
        block.in = in;
        is_changed = true;
      }
    }
  }

  void find_ranges() {
    ranges.resize(frame_indices.size());
    for (const Block &block : blocks) {
      for (unsigned slot : block.in.set_bits()) ranges[slot].add(block.begin);
      for (unsigned slot : block.out.set_bits()) ranges[slot].add(block.end);
      for (unsigned slot : block.elsewhere.set_bits()) ranges[slot].add(block.end);
      for (const Use &use : block.uses) ranges[use.slot].add(use.place);
    }
  }

  // In the order in which they begin, each slot takes the place of one of its kind that is done.
  bool share() {
    std::vector<unsigned> order;
    for (unsigned slot = 0; slot < ranges.size(); ++slot)
      if (!is_fixed.test(slot) && ranges[slot].first != UINT_MAX) order.push_back(slot);
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return std::tie(ranges[a].first, a) < std::tie(ranges[b].first, b);
    });
    using Busy = std::pair<unsigned, int>; // until when, and the frame index
    std::map<std::pair<int64_t, uint64_t>, std::priority_queue<Busy, std::vector<Busy>, std::greater<Busy>>> places;
    DenseMap<int, int> moved;
    for (unsigned slot : order) {
      int index = frame_indices[slot];
      auto &busy = places[{frame.getObjectSize(index), frame.getObjectAlign(index).value()}];
      int place = index;
      if (!busy.empty() && busy.top().first < ranges[slot].first) {
        place = busy.top().second;
        busy.pop();
        moved[index] = place;
      }
      busy.push({ranges[slot].last, place});
    }
    rewrite(moved);
    return !moved.empty();
  }

  void rewrite(const DenseMap<int, int> &moved) {
    auto place = [&](int index) { return moved.lookup_or(index, index); };
    for (MachineBasicBlock &block : function)
      for (MachineInstr &instruction : block) {
        for (MachineOperand &operand : instruction.operands())
          if (operand.isFI()) operand.setIndex(place(operand.getIndex()));
        for (MachineMemOperand *memory : instruction.memoperands())
          if (auto *value = dyn_cast_or_null<FixedStackPseudoSourceValue>(memory->getPseudoValue()))
            if (int index = value->getFrameIndex(); moved.contains(index))
              memory->setValue(function.getPSVManager().getFixedStack(place(index)));
      }
    for (auto [index, _] : moved) frame.RemoveStackObject(index);
  }

  MachineFunction &function;
  MachineFrameInfo &frame;
  const TargetInstrInfo &target;
  // Of slots that may share, their numbers by frame index and back.
  std::vector<int> numbers, frame_indices;
  // Those that something else than a plain load or store names.
  BitVector is_fixed;
  std::vector<Block> blocks;
  std::vector<Range> ranges;
};

struct SlotSharing : MachineFunctionPass {
  static char ID;
  SlotSharing() : MachineFunctionPass(ID) {}
  StringRef getPassName() const override { return "Sharing of spill slots"; }
  bool runOnMachineFunction(MachineFunction &function) override {
    // Debug information names slots; what runs twice wants what slots held the first time.
    if (function.getFunction().getSubprogram() || function.exposesReturnsTwice()) return false;
    return Sharing(function).run();
  }
};

char SlotSharing::ID;

} // namespace

Pass *share_slots() { return new SlotSharing; }
