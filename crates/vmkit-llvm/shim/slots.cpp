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

// An instruction that names a slot.
struct Use {
  MachineInstr *instruction;
  unsigned slot;
  unsigned place; // the instruction's number in the function
};

// Sets of slots, one beside the other in memory.
class Matrix {
public:
  using Word = uint64_t;
  void resize(size_t rows, unsigned columns) {
    width = (columns + 63) / 64;
    words.assign(rows * width, 0);
  }
  Word *operator[](size_t row) { return &words[row * width]; }
  bool test(size_t row, unsigned column) { return (*this)[row][column / 64] >> column % 64 & 1; }
  void set(size_t row, unsigned column) { (*this)[row][column / 64] |= Word(1) << column % 64; }
  template <typename Visit> void each(size_t row, Visit visit) {
    for (unsigned place = 0; place < width; ++place)
      for (Word word = (*this)[row][place]; word; word &= word - 1) visit(place * 64 + llvm::countr_zero(word));
  }
  unsigned width = 0; // words in a set

private:
  std::vector<Word> words;
};

// The places where a block begins and ends.
struct Block {
  unsigned begin = 0, end = 0;
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
    size_t rows = function.getNumBlockIDs();
    blocks.resize(rows);
    for (Matrix *sets : {&unread, &written, &in, &out, &elsewhere}) sets->resize(rows, frame_indices.size());
    unsigned place = 0;
    for (MachineBasicBlock &machine_block : function) {
      unsigned number = machine_block.getNumber();
      Block &block = blocks[number];
      block.begin = place++;
      for (MachineInstr &instruction : machine_block) read(number, instruction, place++);
      block.end = place++;
    }
  }

  void read(unsigned block, MachineInstr &instruction, unsigned place) {
    for (const MachineOperand &operand : instruction.operands()) {
      int slot = operand.isFI() ? number(operand.getIndex()) : -1;
      if (slot < 0) continue;
      Access found = access(instruction, operand.getIndex());
      if (found == Access::Other) is_fixed.set(slot);
      bool is_store = found == Access::Store;
      uses.push_back({&instruction, unsigned(slot), place});
      if (is_store)
        written.set(block, slot);
      else if (!written.test(block, slot))
        unread.set(block, slot);
    }
  }

  // Backwards, until nothing changes.
  void propagate() {
    SmallVector<MachineBasicBlock *> waiting;
    BitVector is_waiting(blocks.size(), true);
    for (MachineBasicBlock &block : function) waiting.push_back(&block);
    while (!waiting.empty()) {
      MachineBasicBlock *block = waiting.pop_back_val();
      is_waiting.reset(block->getNumber());
      if (!flow(*block)) continue;
      for (MachineBasicBlock *before : block->predecessors())
        if (!is_waiting.test(before->getNumber())) {
          is_waiting.set(before->getNumber());
          waiting.push_back(before);
        }
    }
  }

  // Tells whether something more is wanted at the block's begin.
  bool flow(const MachineBasicBlock &block) {
    unsigned number = block.getNumber(), width = in.width;
    for (const MachineBasicBlock *next : block.successors()) {
      add(out[number], in[next->getNumber()], width);
      if (next->isEHPad() || next->isInlineAsmBrIndirectTarget()) add(elsewhere[number], in[next->getNumber()], width);
    }
    Matrix::Word changed = 0;
    for (unsigned place = 0; place < width; ++place) {
      Matrix::Word wanted = (out[number][place] & ~written[number][place]) | unread[number][place] | elsewhere[number][place];
      changed |= wanted ^ in[number][place];
      in[number][place] = wanted;
    }
    return changed != 0;
  }

  static void add(Matrix::Word *to, const Matrix::Word *from, unsigned width) {
    for (unsigned place = 0; place < width; ++place) to[place] |= from[place];
  }

  void find_ranges() {
    ranges.resize(frame_indices.size());
    for (auto [number, block] : enumerate(blocks)) {
      in.each(number, [&](unsigned slot) { ranges[slot].add(block.begin); });
      out.each(number, [&](unsigned slot) { ranges[slot].add(block.end); });
      elsewhere.each(number, [&](unsigned slot) { ranges[slot].add(block.end); });
    }
    for (const Use &use : uses) ranges[use.slot].add(use.place);
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
    for (const Use &use : uses)
      if (moved.contains(frame_indices[use.slot])) rewrite(*use.instruction, moved);
    for (auto [index, _] : moved) frame.RemoveStackObject(index);
  }

  void rewrite(MachineInstr &instruction, const DenseMap<int, int> &moved) {
    auto place = [&](int index) { return moved.lookup_or(index, index); };
    for (MachineOperand &operand : instruction.operands())
      if (operand.isFI()) operand.setIndex(place(operand.getIndex()));
    for (MachineMemOperand *memory : instruction.memoperands())
      if (auto *value = dyn_cast_or_null<FixedStackPseudoSourceValue>(memory->getPseudoValue()))
        if (int index = value->getFrameIndex(); moved.contains(index))
          memory->setValue(function.getPSVManager().getFixedStack(place(index)));
  }

  MachineFunction &function;
  MachineFrameInfo &frame;
  const TargetInstrInfo &target;
  // Of slots that may share, their numbers by frame index and back.
  std::vector<int> numbers, frame_indices;
  // Those that something else than a plain load or store names.
  BitVector is_fixed;
  std::vector<Block> blocks;
  std::vector<Use> uses;
  // By block: slots that are read before they are written; those that are written; those whose
  // contents are wanted at either end; those that are wanted where an exception leads, at whichever
  // place it leaves the block.
  Matrix unread, written, in, out, elsewhere;
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
