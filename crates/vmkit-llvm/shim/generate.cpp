// The code generator: built once, run on one module after the other.
#include "worker.h"
#include "copies.h"
#include "plain.h"
#include "slots.h"
#include "streamer.h"

#include "llvm/Analysis/RuntimeLibcallInfo.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/AsmPrinter.h"
#include "llvm/CodeGen/CodeGenTargetMachineImpl.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/RegAllocRegistry.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Target/TargetLoweringObjectFile.h"

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

// After so many modules a context that stays forgets the symbols that it has seen.
constexpr unsigned MostRuns = 64;

// As LLVM adds the passes that emit objects, but for the streamer, which writes into an empty `file`.
bool add_streaming_passes(TargetMachine &machine, legacy::PassManagerBase &passes, MCContext &context,
                          SmallVectorImpl<char> &file) {
  auto &whole = static_cast<CodeGenTargetMachineImpl &>(machine);
  const Target &target = machine.getTarget();
  const TargetOptions &options = machine.Options;
  const MCSubtargetInfo &subtarget = *machine.getMCSubtargetInfo();
  passes.add(new RuntimeLibraryInfoWrapper(machine.getTargetTriple(), options.ExceptionModel, options.FloatABIType,
                                           options.EABIVersion, options.MCOptions.ABIName, options.VecLib));
  TargetPassConfig *config = whole.createPassConfig(passes);
  config->setDisableVerify(true);
  passes.add(config);
  passes.add(new MachineModuleInfoWrapperPass(&whole, &context));
  if (config->addISelPasses()) return false;
  config->addMachinePasses();
  config->setInitialized();
  std::unique_ptr<MCAsmBackend> backend(
      target.createMCAsmBackend(subtarget, *machine.getMCRegisterInfo(), options.MCOptions));
  std::unique_ptr<MCCodeEmitter> emitter(target.createMCCodeEmitter(*machine.getMCInstrInfo(), context));
  auto streamer = std::make_unique<Streamer>(context, std::move(backend), std::move(emitter), file);
  AsmPrinter *printer = target.createAsmPrinter(machine, std::move(streamer));
  if (!printer) return false;
  passes.add(printer);
  passes.add(createFreeMachineFunctionPass());
  return true;
}

} // namespace

Generator::~Generator() = default;

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
  bool is_done;
  if (is_plain && !is_thorough && machine.getTargetTriple().isX86_64()) {
    own_context = std::make_unique<MCContext>(machine.getTargetTriple(), machine.getMCAsmInfo(),
                                              machine.getMCRegisterInfo(), machine.getMCSubtargetInfo(),
                                              /*Mgr=*/nullptr, &machine.Options.MCOptions, /*DoAutoReset=*/false);
    own_context->setObjectFileInfo(machine.getObjFileLowering());
    own_context->setUseNamesOnTempLabels(false);
    context = own_context.get();
    is_done = add_streaming_passes(machine, all, *context, buffer);
  } else {
    is_done = !machine.addPassesToEmitMC(all, context, stream, /*DisableVerify=*/true);
  }
  if (is_thorough && optimize) {
    optimize->setValue(cl::boolOrDefault::BOU_UNSET);
    RegisterRegAlloc::setDefault(previous);
  }
  if (!is_done) fail("the target cannot emit objects");
}

// Those of the machine are shared by all generators.
void Generator::set_options() { machine.Options.MCOptions.MCRelaxAll = has_long_branches; }

StringRef Generator::run(Module &module) {
  buffer.clear();
  if (own_context && ++runs % MostRuns == 0) own_context->reset();
  set_options();
  (context->*numeric_labels()).clear();
  passes.run(module);
  return {buffer.data(), buffer.size()};
}
