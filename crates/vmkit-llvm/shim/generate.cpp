// The code generator: built once, run on one module after the other.
#include "worker.h"
#include "slots.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/RegAllocRegistry.h"
#include "llvm/MC/MCContext.h"
#include "llvm/Support/CommandLine.h"

#include <mutex>

using namespace llvm;

namespace {

// Puts a pass of ours into LLVM's pipeline: once registers are allocated, before the frame is laid out.
struct Pipeline : legacy::PassManagerBase {
  explicit Pipeline(legacy::PassManager &passes) : passes(passes) {}
  void add(Pass *pass) override {
    bool is_last = pass->getPassID() == &FixupStatepointCallerSavedID;
    passes.add(pass);
    if (is_last) passes.add(share_slots());
  }
  legacy::PassManager &passes;
};

} // namespace

Generator::Generator(TargetMachine &machine, bool is_thorough) {
  // The choice of register allocator is LLVM's global state, read while a pipeline is built.
  static std::mutex building;
  std::lock_guard lock(building);
  auto *optimize = static_cast<cl::opt<cl::boolOrDefault> *>(cl::getRegisteredOptions().lookup("optimize-regalloc"));
  auto previous = RegisterRegAlloc::getDefault();
  if (is_thorough && optimize) {
    optimize->setValue(cl::boolOrDefault::BOU_TRUE);
    RegisterRegAlloc::setDefault(createBasicRegisterAllocator);
  }
  passes.add(new TargetLibraryInfoWrapperPass(machine.getTargetTriple()));
  Pipeline pipeline(passes);
  legacy::PassManagerBase &all = machine.getOptLevel() == CodeGenOptLevel::None && !is_thorough
                                     ? static_cast<legacy::PassManagerBase &>(pipeline)
                                     : passes;
  MCContext *context = nullptr;
  bool cannot = machine.addPassesToEmitMC(all, context, stream, /*DisableVerify=*/true);
  if (is_thorough && optimize) {
    optimize->setValue(cl::boolOrDefault::BOU_UNSET);
    RegisterRegAlloc::setDefault(previous);
  }
  if (cannot) fail("the target cannot emit objects");
}

StringRef Generator::run(Module &module) {
  buffer.clear();
  passes.run(module);
  return {buffer.data(), buffer.size()};
}
