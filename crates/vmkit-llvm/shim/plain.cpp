#include "plain.h"
#include "quick.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace {

bool is_plain_type(const Type &type) {
  if (auto *parts = dyn_cast<StructType>(&type))
    return all_of(parts->elements(), [](const Type *part) { return is_plain_type(*part); });
  return type.isVoidTy() || is_simple(type);
}

// Calls of it are done where instructions are selected, or are none.
bool is_plain_intrinsic(Intrinsic::ID id) {
  switch (id) {
  case Intrinsic::memcpy:
  case Intrinsic::memmove:
  case Intrinsic::memset:
  case Intrinsic::lifetime_start:
  case Intrinsic::lifetime_end:
  case Intrinsic::vastart:
  case Intrinsic::vaend:
  case Intrinsic::vacopy:
  case Intrinsic::assume:
  case Intrinsic::experimental_noalias_scope_decl:
  case Intrinsic::expect:
  case Intrinsic::abs:
  case Intrinsic::smax:
  case Intrinsic::smin:
  case Intrinsic::umax:
  case Intrinsic::umin:
  case Intrinsic::ctlz:
  case Intrinsic::cttz:
  case Intrinsic::ctpop:
  case Intrinsic::bswap:
  case Intrinsic::fshl:
  case Intrinsic::fshr:
  case Intrinsic::sadd_with_overflow:
  case Intrinsic::uadd_with_overflow:
  case Intrinsic::ssub_with_overflow:
  case Intrinsic::usub_with_overflow:
  case Intrinsic::smul_with_overflow:
  case Intrinsic::umul_with_overflow:
  case Intrinsic::usub_sat:
  case Intrinsic::uadd_sat:
  case Intrinsic::fabs:
  case Intrinsic::copysign:
  case Intrinsic::sqrt:
  case Intrinsic::floor:
  case Intrinsic::ceil:
  case Intrinsic::trunc:
  case Intrinsic::fmuladd:
  case Intrinsic::stacksave:
  case Intrinsic::stackrestore:
  case Intrinsic::trap:
  case Intrinsic::eh_typeid_for: return true;
  default: return false;
  }
}

// A processor's name or extension that brings registers or rules of its own.
bool is_plain_processor(const Function &function) {
  StringRef processor = function.getFnAttribute("target-cpu").getValueAsString();
  if (!processor.empty() && (!processor.starts_with("x86-64") || processor == "x86-64-v4")) return false;
  StringRef features = function.getFnAttribute("target-features").getValueAsString();
  return none_of(ArrayRef({"amx", "avx", "lvi", "retpoline", "seses", "egpr", "push2", "ndd", "thunk", "harden"}),
                 [&](StringRef name) { return features.contains(name); });
}

bool is_plain_instruction(const Instruction &instruction) {
  if (!is_plain_type(*instruction.getType()) || instruction.isAtomic()) return false;
  switch (instruction.getOpcode()) {
  case Instruction::CallBr:
  case Instruction::FRem: return false;
  case Instruction::Store: return is_plain_type(*cast<StoreInst>(instruction).getValueOperand()->getType());
  case Instruction::Call:
  case Instruction::Invoke: {
    auto &call = cast<CallBase>(instruction);
    return !call.hasOperandBundles() && !call.isInlineAsm();
  }
  default: return true;
  }
}

bool is_plain_function(const Function &function) {
  if (function.isIntrinsic()) return is_plain_intrinsic(function.getIntrinsicID());
  if (function.isDeclaration()) return true;
  // Also debug information.
  if (function.hasGC() || function.hasMetadata() || !is_plain_processor(function)) return false;
  for (auto kind : {Attribute::SafeStack, Attribute::SpeculativeLoadHardening, Attribute::FnRetThunkExtern})
    if (function.hasFnAttribute(kind)) return false;
  for (StringRef kind : {"fentry-call", "function-instrument", "xray-instruction-threshold", "patchable-function",
                         "patchable-function-entry", "instrument-function-entry", "instrument-function-exit",
                         "instrument-function-entry-inlined", "instrument-function-exit-inlined"})
    if (function.hasFnAttribute(kind)) return false;
  return all_of(function.args(), [](const Argument &argument) { return is_plain_type(*argument.getType()); }) &&
         all_of(instructions(function), is_plain_instruction);
}

} // namespace

bool is_plain(const Module &module) {
  return module.getModuleInlineAsm().empty() && !module.getModuleFlag("kcfi") && all_of(module, is_plain_function);
}

bool is_idle_on_plain(StringRef pass) {
  static const StringSet<> idle = {
      // Vectors, atomics, wide integers.
      "atomic-expand", "expand-ir-insts", "expand-reductions", "scalarize-masked-mem-intrin",
      // Garbage collectors, and calls that can be patched.
      "gc-analysis", "gc-lowering", "patchable-function", "shadow-stack-gc-lowering", "stackmap-liveness",
      // Instrumentation and hardening.
      "fentry-insert", "indirectbr-expand", "kcfi", "machine-sanmd", "post-inline-ee-instrument",
      "pseudo-probe-inserter", "safe-stack", "unpack-mi-bundles", "x86-lvi-ret", "x86-return-thunks", "x86-seses",
      "x86-slh", "xray-instrumentation",
      // Extensions of the processor.
      "x86-compress-evex", "x86-fast-pre-tile-config", "x86-fast-tile-config", "x86-lower-amx-intrinsics",
      "x86-lower-amx-type", "x86-lower-tile-copy", "x86-suppress-apx-for-relocation",
      // Debug information; other languages' control flow; remarks.
      "callbrprepare", "funclet-layout", "livedebugvalues", "remove-loads-into-fake-uses",
      "removeredundantdebugvalues", "stack-frame-layout"};
  return idle.contains(pass);
}
