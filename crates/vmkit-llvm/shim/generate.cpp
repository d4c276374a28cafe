// The code generator: built once, run on one module after the other.
#include "worker.h"
#include "copies.h"
#include "plain.h"
#include "slots.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/RegAllocRegistry.h"
#include "llvm/MC/MCContext.h"
#include "llvm/Support/CommandLine.h"

#include <mutex>

using namespace llvm;

namespace {

// Comes with the thorough allocator, for little or nothing in its code. (The allocator computes itself
// where registers are live. Told before, LLVM also splits edges between blocks for the copies of phis: in
// functions with many labels that takes longer than all else.)
bool is_dear(AnalysisID pass) {
  return pass == &LiveVariablesID || pass == &MachineCopyPropagationID || pass == &MachineLICMID ||
         pass == &MachineSchedulerID;
}

// LLVM's pipeline without optimization, but for a few passes.
struct Pipeline : legacy::PassManagerBase {
  Pipeline(legacy::PassManager &passes, bool is_thorough, bool is_plain)
      : passes(passes), is_thorough(is_thorough), is_plain(is_plain) {}
  void add(Pass *pass) override {
    AnalysisID id = pass->getPassID();
    if ((is_thorough && is_dear(id)) || (is_plain && is_idle_on_plain(pass->getPassArgument()))) {
      delete pass;
      return;
    }
    passes.add(pass);
    if (is_thorough) return;
    if (id == &TwoAddressInstructionPassID) passes.add(join_copies());
    // Once registers are allocated, before the frame is laid out.
    if (id == &FixupStatepointCallerSavedID) passes.add(share_slots());
  }
  legacy::PassManager &passes;
  bool is_thorough, is_plain;
};

// Of a global option of LLVM's: how often code that can be computed anew must be copied until its
// range is looked at once, at the end, rather than after each copy; that changes next to nothing but
// the time, most of the coalescer's in large functions.
void shrink_ranges_late() {
  if (auto *threshold = cl::getRegisteredOptions().lookup("late-remat-update-threshold"))
    static_cast<cl::opt<unsigned> *>(threshold)->setValue(0);
}

// The numeric labels of assembly (`1:`), by label and how often it was defined. When a module is done
// LLVM frees the symbols and counts anew, but goes on to find these: the next module with such a label
// would get what was freed. They are the context's alone, and only the name of a private member in an
// explicit instantiation leads there.
using NumericLabels = DenseMap<std::pair<unsigned, unsigned>, MCSymbol *> MCContext::*;
NumericLabels numeric_labels();
template <NumericLabels member> struct Reach {
  friend NumericLabels numeric_labels() { return member; }
};
template struct Reach<&MCContext::LocalSymbols>;

} // namespace

Generator::Generator(TargetMachine &machine, bool is_thorough, bool is_plain) : machine(machine) {
  // The choice of register allocator is LLVM's global state, read while a pipeline is built.
  static std::mutex building;
  std::lock_guard lock(building);
  auto *optimize = static_cast<cl::opt<cl::boolOrDefault> *>(cl::getRegisteredOptions().lookup("optimize-regalloc"));
  auto previous = RegisterRegAlloc::getDefault();
  if (is_thorough && optimize) {
    shrink_ranges_late();
    optimize->setValue(cl::boolOrDefault::BOU_TRUE);
    RegisterRegAlloc::setDefault(createBasicRegisterAllocator);
  }
  passes.add(new TargetLibraryInfoWrapperPass(machine.getTargetTriple()));
  Pipeline pipeline(passes, is_thorough, is_plain);
  bool is_optimizing = machine.getOptLevel() != CodeGenOptLevel::None;
  legacy::PassManagerBase &all =
      is_optimizing ? passes : static_cast<legacy::PassManagerBase &>(pipeline);
  has_long_branches = !is_optimizing && !is_thorough;
  set_options();
  bool cannot = machine.addPassesToEmitMC(all, context, stream, /*DisableVerify=*/true);
  if (is_thorough && optimize) {
    optimize->setValue(cl::boolOrDefault::BOU_UNSET);
    RegisterRegAlloc::setDefault(previous);
  }
  if (cannot) fail("the target cannot emit objects");
}

// Those of the machine are shared by all generators.
void Generator::set_options() { machine.Options.MCOptions.MCRelaxAll = has_long_branches; }

StringRef Generator::run(Module &module) {
  buffer.clear();
  set_options();
  (context->*numeric_labels()).clear();
  passes.run(module);
  return {buffer.data(), buffer.size()};
}
