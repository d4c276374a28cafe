// Which functions are candidates for inlining, and their bodies.
#include "library.h"
#include "optimize.h"

#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace {

// The largest candidates, in instructions, of the function that is compiled. Those of candidates are
// smaller by `Decay` at each step, as ThinLTO has it, since reading and readying them all would make
// the first call wait for code it may never run.
constexpr double Largest = 100;
constexpr double Decay = 0.7;
// Those that ask to be inlined always.
constexpr unsigned LargestAlways = 5000;
// What one compile may add to the library.
constexpr unsigned MostReads = 1000;
constexpr unsigned MostPreparations = 300;

double largest(unsigned depth) { return depth ? Decay * largest(depth - 1) : Largest; }

// Will the address be a register's name once the function is optimized?
bool is_local(const Value *address) { return isa<AllocaInst>(address->stripInBoundsOffsets()); }

bool counts(const Instruction &instruction) {
  if (isa<AllocaInst, DbgInfoIntrinsic, LifetimeIntrinsic, AssumeInst, BitCastInst>(instruction)) return false;
  if (auto *load = dyn_cast<LoadInst>(&instruction)) return load->isVolatile() || !is_local(load->getPointerOperand());
  if (auto *store = dyn_cast<StoreInst>(&instruction)) return store->isVolatile() || !is_local(store->getPointerOperand());
  return true;
}

unsigned size_of(const Function &function) {
  return std::max<unsigned>(1, count_if(instructions(function), counts));
}

// Assembly names things by text, which means something in its own module only.
bool has_assembly(const Function &function) {
  return any_of(instructions(function), [](const Instruction &instruction) {
    auto *call = dyn_cast<CallBase>(&instruction);
    auto *assembly = call ? dyn_cast<InlineAsm>(call->getCalledOperand()) : nullptr;
    return assembly && !assembly->getAsmString().empty();
  });
}

bool is_wanted(const vk_module &module, const Function &function) {
  for (auto refused : {Attribute::NoInline, Attribute::OptimizeNone, Attribute::Naked, Attribute::PresplitCoroutine})
    if (function.hasFnAttribute(refused)) return false;
  // Its labels are known to others, or its place matters.
  return !module.units.contains(&function) && !GlobalValue::isInterposableLinkage(function.getLinkage());
}

// What its text says: labels can be in one function only.
bool is_movable(const vk_module &module, const Function &function) {
  bool has_labels = any_of(function, [](const BasicBlock &block) { return block.hasAddressTaken(); });
  return !has_labels && !names_foreign_label(function) && !has_assembly(function) &&
         module.module->getModuleInlineAsm().empty();
}

// The function whose body calls of `declared` run.
Origin definition(Extract &into, const Function &declared) {
  Origin origin = into.origin(declared);
  auto *function = dyn_cast_or_null<Function>(origin.value);
  if (!function) return {};
  if (function->hasLocalLinkage()) return origin;
  Origin found = find(into.worker, origin.module->name(*function));
  if (isa_and_nonnull<Function>(found.value)) return found;
  // A copy of what a library has, which the module promises to be the same.
  return function->hasAvailableExternallyLinkage() ? origin : Origin();
}

// Is what was inlined in the body still what the session means?
bool is_current(vk_worker &worker, Candidate &candidate) {
  if (candidate.checked == worker.library->compiles) return true;
  for (auto &[value, body] : candidate.extract->inlined) {
    if (value->hasLocalLinkage()) continue;
    if (find(worker, body.first->name(*value)).value != value) return false;
  }
  candidate.checked = worker.library->compiles;
  return true;
}

void read(vk_worker &worker, vk_module &module, Function &function, Candidate &candidate) {
  candidate.is_refused = !is_wanted(module, function);
  if (candidate.is_refused || worker.library->reads == 0) return;
  --worker.library->reads;
  module.read(function, worker.options);
  candidate.size = size_of(function);
  bool is_always = function.hasFnAttribute(Attribute::AlwaysInline);
  candidate.is_refused = candidate.size > (is_always ? LargestAlways : Largest) || !is_movable(module, function);
}

void prepare(vk_worker &worker, Origin origin, Candidate &candidate, unsigned depth) {
  auto &function = *cast<Function>(origin.value);
  --worker.library->preparations;
  candidate.is_busy = true;
  origin.module->read(function, worker.options);
  candidate.hash = body_hash(*origin.module, function);
  candidate.extract = extract(worker, *origin.module, origin.module->key(&function));
  Module &body = *candidate.extract->module;
  bool is_changed = worker.optimizer->clean_if_needed(body);
  is_changed |= Inliner(*candidate.extract, depth + 1).run();
  if (is_changed) worker.optimizer->simplify(body);
  candidate.checked = worker.library->compiles;
  candidate.is_busy = false;
}

} // namespace

void Library::begin() {
  reads = MostReads, preparations = MostPreparations;
  ++compiles;
}

Extract *find_candidate(Extract &into, const Function &declared, unsigned depth) {
  vk_worker &worker = into.worker;
  Origin origin = definition(into, declared);
  if (!origin.value) return nullptr;
  auto &function = *cast<Function>(origin.value);
  auto &place = worker.library->candidates[&function];
  if (!place) place = std::make_unique<Candidate>();
  Candidate &candidate = *place;
  if (candidate.is_refused || candidate.is_busy) return nullptr;
  if (candidate.extract && is_current(worker, candidate)) return candidate.extract.get();
  if (!candidate.size) read(worker, *origin.module, function, candidate);
  bool is_always = function.hasFnAttribute(Attribute::AlwaysInline);
  if (candidate.is_refused || !candidate.size || (!is_always && candidate.size > largest(depth)) ||
      worker.library->preparations == 0)
    return nullptr;
  prepare(worker, origin, candidate, depth);
  return candidate.extract.get();
}

void note_inlined(Extract &into, const Extract &body) {
  Origin origin = body.origin(*body.function);
  auto note = [&](const GlobalValue *value, vk_module *module, uint64_t hash) {
    Origin own = into.function ? into.origin(*into.function) : Origin();
    if (value != own.value) into.inlined.insert({value, {module, hash}});
  };
  const auto &candidates = into.worker.library->candidates;
  note(origin.value, origin.module, candidates.find(cast<Function>(origin.value))->second->hash);
  for (const auto &[value, of] : body.inlined) note(value, of.first, of.second);
}
