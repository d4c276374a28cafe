// Copies for phis that the quick register allocator need not make.
#include "copies.h"

#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/CodeGen/MachineFunctionPass.h"
#include "llvm/CodeGen/MachineRegisterInfo.h"

using namespace llvm;

namespace {

// So many blocks are looked at to find out whether a value is wanted.
constexpr unsigned MostBlocks = 16;

// A phi has become a register that its predecessors copy to, and a copy of it at the block's begin.
class Joining {
public:
  explicit Joining(MachineFunction &function) : function(function), registers(function.getRegInfo()) {}

  bool run() {
    bool has_changed = false;
    for (MachineBasicBlock &block : function)
      for (MachineInstr &instruction : make_early_inc_range(block)) {
        if (instruction.isPosition() || instruction.isImplicitDef()) continue;
        if (!instruction.isCopy()) break;
        if (is_of_phi(instruction) && is_free_at_ends(instruction)) has_changed |= join(instruction);
      }
    return has_changed;
  }

private:
  static Register target(const MachineInstr &copy) { return copy.getOperand(0).getReg(); }
  static Register source(const MachineInstr &copy) { return copy.getOperand(1).getReg(); }

  bool is_of_phi(const MachineInstr &copy) const {
    for (const MachineOperand &operand : copy.operands())
      if (!operand.isReg() || !operand.getReg().isVirtual() || operand.getSubReg()) return false;
    return registers.hasOneNonDBGUse(source(copy)) && registers.hasOneDef(target(copy)) &&
           all_of(registers.def_instructions(source(copy)), [&](const MachineInstr &definition) {
             return definition.getParent()->isSuccessor(copy.getParent());
           });
  }

  // Is the phi's last value wanted no more where a predecessor has set the next one?
  bool is_free_at_ends(const MachineInstr &copy) {
    return all_of(registers.def_instructions(source(copy)), [&](const MachineInstr &definition) {
      const MachineBasicBlock &before = *definition.getParent();
      // The block does not dominate what comes first, so there is no last value.
      return comes_first(before, *copy.getParent()) ||
             (none_of(make_range(std::next(definition.getIterator()), before.instr_end()),
                      [&](const MachineInstr &after) { return after.readsVirtualRegister(target(copy)); }) &&
              !is_wanted_behind(before, copy));
    });
  }

  // On a way from `before` that does not lead to the copy's block first.
  bool is_wanted_behind(const MachineBasicBlock &before, const MachineInstr &copy) {
    SmallPtrSet<const MachineBasicBlock *, MostBlocks> users;
    for (const MachineInstr &user : registers.use_nodbg_instructions(target(copy)))
      if (users.insert(user.getParent()); users.size() > MostBlocks) return true;
    SmallSetVector<const MachineBasicBlock *, MostBlocks> ways(before.succ_begin(), before.succ_end());
    for (size_t next = 0; next < ways.size(); ++next) {
      const MachineBasicBlock &block = *ways[next];
      if (&block == copy.getParent() || comes_first(block, *copy.getParent())) continue;
      if (users.contains(&block) || ways.size() > MostBlocks) return true;
      ways.insert(block.succ_begin(), block.succ_end());
    }
    return false;
  }

  bool comes_first(const MachineBasicBlock &a, const MachineBasicBlock &b) {
    if (places.empty()) {
      places.resize(function.getNumBlockIDs(), UINT_MAX);
      unsigned place = 0;
      for (const MachineBasicBlock *block : ReversePostOrderTraversal(&function)) places[block->getNumber()] = place++;
    }
    return places[a.getNumber()] < places[b.getNumber()];
  }

  bool join(MachineInstr &copy) {
    Register kept = target(copy), gone = source(copy);
    if (!registers.constrainRegClass(kept, registers.getRegClass(gone))) return false;
    copy.eraseFromParent();
    registers.replaceRegWith(gone, kept);
    registers.clearKillFlags(kept);
    return true;
  }

  MachineFunction &function;
  MachineRegisterInfo &registers;
  // Of blocks by number: a block that dominates another has a lower one.
  std::vector<unsigned> places;
};

struct CopyJoining : MachineFunctionPass {
  static char ID;
  CopyJoining() : MachineFunctionPass(ID) {}
  StringRef getPassName() const override { return "Joining of copies for phis"; }
  bool runOnMachineFunction(MachineFunction &function) override {
    // What runs twice wants what registers held the first time.
    return !function.exposesReturnsTwice() && Joining(function).run();
  }
};

char CopyJoining::ID;

} // namespace

Pass *join_copies() { return new CopyJoining; }
