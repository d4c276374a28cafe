// Functions with a garbage collector: their calls become statepoints, and they poll.
#include "safepoint.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Scalar/PlaceSafepoints.h"
#include "llvm/Transforms/Scalar/RewriteStatepointsForGC.h"
#include "llvm/Transforms/Utils/Mem2Reg.h"

using namespace llvm;

namespace {

// What LLVM looks for, to put in place of a poll.
constexpr const char *Poll = "gc.safepoint_poll";
// What the virtual machine defines: a word that is not zero while threads are to stop, and what to
// call then, with the word's address.
constexpr const char *Flag = "vmkit_safepoint_flag", *Stop = "vmkit_safepoint";

bool is_collected(const Function &function) { return !function.isDeclaration() && function.hasGC(); }

// if (flag != 0) stop(&flag);
Function *declare_poll(Module &module) {
  LLVMContext &context = module.getContext();
  IRBuilder<> builder(context);
  auto *type = FunctionType::get(builder.getVoidTy(), /*isVarArg=*/false);
  auto *poll = Function::Create(type, GlobalValue::InternalLinkage, Poll, &module);
  auto *flag = cast<GlobalVariable>(module.getOrInsertGlobal(Flag, builder.getInt32Ty()));
  auto stop = module.getOrInsertFunction(Stop, builder.getVoidTy(), flag->getType());
  auto *entry = BasicBlock::Create(context, "", poll), *slow = BasicBlock::Create(context, "", poll),
       *done = BasicBlock::Create(context, "", poll);
  builder.SetInsertPoint(entry);
  auto *value = builder.CreateLoad(builder.getInt32Ty(), flag);
  value->setAtomic(AtomicOrdering::Monotonic);
  value->setAlignment(Align(4));
  builder.CreateCondBr(builder.CreateIsNotNull(value), slow, done, MDBuilder(context).createBranchWeights(1, 1 << 20));
  builder.SetInsertPoint(slow);
  builder.CreateCall(stop, {flag});
  builder.CreateBr(done);
  builder.SetInsertPoint(done);
  builder.CreateRetVoid();
  return poll;
}

// Polls where functions begin. LLVM puts a function's first poll as late as it can, behind what the
// function has read of its thread by then: the free memory for an object, say. A collector changes that
// while the thread stands still. Before a call that may lead anywhere, even to the poll, it is early enough.
void poll_at_entry(Function &function, Function &anywhere, FunctionPassManager &place,
                   FunctionAnalysisManager &analyses) {
  BasicBlock &entry = function.getEntryBlock();
  auto start = entry.getFirstNonPHIOrDbgOrAlloca();
  auto *call = CallInst::Create(anywhere.getFunctionType(), &anywhere, "", start);
  place.run(function, analyses);
  call->eraseFromParent();
}

// The call that asks whether to stop has no place in the source; the verifier wants one of each call
// in a function that has places.
void give_places(Function &function) {
  DISubprogram *program = function.getSubprogram();
  if (!program) return;
  for (BasicBlock &block : function)
    for (Instruction &instruction : block)
      if (isa<CallBase>(instruction) && !instruction.getDebugLoc())
        instruction.setDebugLoc(DILocation::get(function.getContext(), 0, 0, program));
}

} // namespace

bool Statepoints::are_wanted(const Module &module) { return any_of(module, is_collected); }

void Statepoints::run(Module &module, bool polls) {
  Function *poll = polls ? declare_poll(module) : nullptr;
  for (Function &function : module) {
    if (!is_collected(function)) continue;
    // Frames are walked from outside, by these records.
    function.setUWTableKind(UWTableKind::Async);
    FunctionPassManager passes, place;
    // References in memory would not be seen.
    passes.addPass(PromotePass());
    passes.run(function, functions);
    place.addPass(PlaceSafepointsPass());
    if (poll) poll_at_entry(function, *poll, place, functions);
    give_places(function);
  }
  if (poll) poll->eraseFromParent();
  ModulePassManager passes;
  passes.addPass(RewriteStatepointsForGC());
  passes.run(module, modules);
  clear();
}
