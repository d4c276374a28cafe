// One function alone in a module of its own, with declarations around it.
#include "extract.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace {

// What codegen reads from module flags; what concerns other tools stays behind.
void copy_flags(const Module &from, Module &to) {
  SmallVector<Module::ModuleFlagEntry> flags;
  from.getModuleFlagsMetadata(flags);
  for (const auto &flag : flags) {
    StringRef name = flag.Key->getString();
    if (name == "RtLibUseGOT" || name == "PIC Level" || name == "PIE Level" || name == "Code Model" ||
        name == "Large Data Threshold")
      continue;
    to.addModuleFlag(flag.Behavior, name, flag.Val);
  }
  to.setPICLevel(PICLevel::BigPIC);
}

// Visible to the linker, so that uses of it are seen there (a symbol of default visibility would get
// a local twin that is used instead).
void make_own(GlobalValue &value) {
  value.setLinkage(GlobalValue::ExternalLinkage);
  value.setVisibility(GlobalValue::HiddenVisibility);
  value.setDSOLocal(true);
}

using Functions = SmallSetVector<Function *, 4>;

// Adds the functions whose labels a constant names, but for `function` itself.
void add_owners(const Function &function, const Constant &constant, Functions &owners) {
  if (auto *label = dyn_cast<BlockAddress>(&constant)) {
    if (label->getFunction() != &function) owners.insert(label->getFunction());
  } else if (!isa<GlobalValue>(constant)) {
    for (const Use &operand : constant.operands()) add_owners(function, *cast<Constant>(operand), owners);
  }
}

// The functions whose labels the code of `function` names.
Functions label_owners(const Function &function) {
  Functions owners;
  for (const Instruction &instruction : instructions(function))
    for (const Value *operand : instruction.operands())
      if (auto *constant = dyn_cast<Constant>(operand)) add_owners(function, *constant, owners);
  return owners;
}

void add_users(const Constant &constant, Functions &users) {
  for (const User *user : constant.users()) {
    if (auto *instruction = dyn_cast<Instruction>(user))
      users.insert(const_cast<Function *>(instruction->getFunction()));
    else if (auto *outer = dyn_cast<Constant>(user); outer && !isa<GlobalValue>(outer))
      add_users(*outer, users);
  }
}

// The functions whose code names labels of `function`. Reading a function reads them as well.
Functions label_users(const Function &function) {
  Functions users;
  for (const BasicBlock &block : function)
    if (block.hasAddressTaken())
      if (const BlockAddress *address = BlockAddress::lookup(&block)) add_users(*address, users);
  return users;
}

bool has_labels(const Function &function) {
  return any_of(function, [](const BasicBlock &block) { return block.hasAddressTaken(); });
}

// By function, those whose labels its code names.
using Owners = DenseMap<const GlobalValue *, Functions>;

// Reads the members' bodies. A label is where it is in one piece of code, so functions whose code names
// labels of each other are compiled together, whichever of them is asked for.
Owners gather(vk_worker &worker, vk_module &source, std::vector<GlobalValue *> &members) {
  Owners owners;
  auto add = [&](GlobalValue *value) {
    if (!is_contained(members, value)) members.push_back(value);
  };
  for (size_t i = 0; i < members.size(); ++i) {
    auto *function = dyn_cast<Function>(members[i]);
    if (!function) continue;
    source.read(*function, worker.options);
    Functions related = label_owners(*function);
    if (!related.empty()) owners[function] = related;
    related.insert_range(label_users(*function));
    for (Function *other : related) {
      add(other);
      for (GlobalValue *member : source.members.lookup(source.key(other))) add(member);
    }
  }
  // What names labels needs to find them.
  if (!owners.empty())
    std::stable_partition(members.begin(), members.end(), [&](GlobalValue *member) {
      auto *function = dyn_cast<Function>(member);
      return function && has_labels(*function) && !owners.contains(function);
    });
  return owners;
}

Function *declare_own(Function &function, Module &target) {
  auto *own = Function::Create(function.getFunctionType(), GlobalValue::ExternalLinkage,
                               function.getAddressSpace(), function.getName(), &target);
  make_own(*own);
  return own;
}

GlobalVariable *declare_own(GlobalVariable &variable, Module &target) {
  auto *own = new GlobalVariable(target, variable.getValueType(), variable.isConstant(),
                                 GlobalValue::PrivateLinkage, nullptr, variable.getName());
  own->setAlignment(target.getDataLayout().getPreferredAlign(&variable));
  return own;
}

// Both modules are of one context, and can share what is said about the source.
bool is_shared_node(const Metadata *node) { return isa<DINode, DILocation>(node); }

void map_arguments(const Function &function, Function &own, ValueToValueMapTy &map) {
  for (auto [old_argument, new_argument] : zip(function.args(), own.args())) map[&old_argument] = &new_argument;
}

void clone_header(const Function &function, Function &own, ValueToValueMapTy &map, Declarer &declarer) {
  map_arguments(function, own, map);
  CloneFunctionAttributesInto(&own, &function, map, /*ModuleLevelChanges=*/true, nullptr, &declarer);
  CloneFunctionMetadataInto(own, function, map, RF_None, nullptr, &declarer, &is_shared);
}

void clone_body(const Function &function, Function &own, ValueToValueMapTy &map, Declarer &declarer) {
  SmallVector<ReturnInst *> returns;
  CloneFunctionBodyInto(own, function, map, RF_None, returns, "", nullptr, nullptr, &declarer, &is_shared);
}

// Says nothing of global values: what instructions have most of.
bool is_plain(unsigned kind) {
  switch (kind) {
  case LLVMContext::MD_dbg:
  case LLVMContext::MD_tbaa:
  case LLVMContext::MD_tbaa_struct:
  case LLVMContext::MD_prof:
  case LLVMContext::MD_range:
  case LLVMContext::MD_loop:
  case LLVMContext::MD_nonnull:
  case LLVMContext::MD_noundef:
  case LLVMContext::MD_alias_scope:
  case LLVMContext::MD_noalias: return true;
  default: return false;
  }
}

// Can it be the same in any function and module of the context?
bool is_anywhere(const Value &value) {
  return isa<Instruction, Argument, BasicBlock, ConstantData, InlineAsm>(value);
}

// Has instructions that came from one module into another name what is declared there.
class Remapping {
public:
  Remapping(ValueToValueMapTy &map, Declarer &declarer)
      : mapper(map, RF_IgnoreMissingLocals, nullptr, &declarer, &is_shared) {}

  void run(Instruction &instruction) {
    mapper.remapDbgRecordRange(instruction.getModule(), instruction.getDbgRecordRange());
    for (Use &operand : instruction.operands())
      if (!is_anywhere(*operand))
        if (Value *mapped = mapper.mapValue(*operand)) operand = mapped;
    if (!instruction.hasMetadataOtherThanDebugLoc()) return;
    nodes.clear();
    instruction.getAllMetadataOtherThanDebugLoc(nodes);
    for (auto [kind, node] : nodes)
      if (!is_plain(kind)) instruction.setMetadata(kind, mapper.mapMDNode(*node));
  }

private:
  ValueMapper mapper;
  SmallVector<std::pair<unsigned, MDNode *>> nodes;
};

// Takes the body away; whoever wants the function again reads it again.
void move_body(Function &function, Function &own, ValueToValueMapTy &map, Declarer &declarer) {
  own.splice(own.begin(), &function);
  function.setIsMaterializable(true);
  for (auto [old_argument, new_argument] : zip(function.args(), own.args()))
    old_argument.replaceAllUsesWith(&new_argument);
  Remapping remapping(map, declarer);
  for (Instruction &instruction : instructions(own)) remapping.run(instruction);
}

// Checks of indirect calls look for a function's type before its address (-fsanitize=kcfi). That
// address is a stub's here, which has none: the checks are left out.
void drop_type_checks(Function &own) {
  own.setMetadata(LLVMContext::MD_kcfi_type, nullptr);
  for (Instruction &instruction : make_early_inc_range(instructions(own))) {
    auto *call = dyn_cast<CallBase>(&instruction);
    if (!call || !call->getOperandBundle(LLVMContext::OB_kcfi)) continue;
    CallBase *unchecked = CallBase::removeOperandBundle(call, LLVMContext::OB_kcfi, call->getIterator());
    unchecked->copyMetadata(*call);
    unchecked->takeName(call);
    call->replaceAllUsesWith(unchecked);
    call->eraseFromParent();
  }
}

void fill(Function &function, Function &own, vk_module &source, ValueToValueMapTy &map, Declarer &declarer) {
  clone_header(function, own, map, declarer);
  // Labels that data points to must stay with the function that the data names.
  if (has_labels(function))
    clone_body(function, own, map, declarer);
  else
    move_body(function, own, map, declarer);
  if (source.module->getModuleFlag("kcfi")) drop_type_checks(own);
  make_own(own);
  own.setComdat(nullptr);
  if (!source.units.contains(&function)) own.setSection("");
}

} // namespace

const MetadataPredicate is_shared = is_shared_node;

bool names_foreign_label(const Function &function) { return !label_owners(function).empty(); }

void vk_module::read(Function &function, const vk_options &options) {
  if (!function.isMaterializable()) return;
  if (Error error = module->materializeMetadata()) fail(std::move(error));
  if (Error error = function.materialize()) fail(std::move(error));
  // The reader could do so itself, but not what it makes of the debug information of older versions.
  if (!options.keep_debug && module->getNamedMetadata("llvm.dbg.cu")) stripDebugInfo(function);
}

Extract::Extract(vk_worker &worker, vk_module &home)
    : worker(worker), home(home),
      module(std::make_unique<Module>(home.module->getModuleIdentifier(), worker.context)) {
  module->setDataLayout(home.module->getDataLayout());
  module->setTargetTriple(worker.machine->getTargetTriple());
}

std::unique_ptr<Extract> extract(vk_worker &worker, vk_module &source, uint32_t key) {
  auto members = source.members.lookup(key);
  // What a function that is compiled alone brings along, only its own code can name.
  auto *alone = dyn_cast<Function>(source.values.at(key));
  if (source.units.contains(source.values.at(key))) alone = nullptr;
  if (members.empty()) members.push_back(source.values.at(key));
  Module &from = *source.module;
  auto extract = std::make_unique<Extract>(worker, source);
  Owners owners = gather(worker, source, members);
  if (worker.options.keep_debug) trim_debug_info(source);

  ValueToValueMapTy map;
  Declarer declarer(*extract, source);
  for (GlobalValue *member : members) {
    GlobalValue *own = nullptr;
    if (auto *function = dyn_cast<Function>(member)) {
      own = declare_own(*function, *extract->module);
    } else if (auto *variable = dyn_cast<GlobalVariable>(member)) {
      own = declare_own(*variable, *extract->module);
      if (!alone) make_own(*own);
      // What is between __start_NAME and __stop_NAME is placed apart from the code.
      if (!alone && variable->hasSection())
        cast<GlobalVariable>(own)->setSection((".data." + Twine(source.key(member))).str());
    } else {
      continue;
    }
    map[member] = own;
    if (!alone || isa<Function>(member)) extract->adopt(*own, {&source, member});
  }
  copy_flags(from, *extract->module);
  for (GlobalValue *member : members)
    if (auto *function = dyn_cast<Function>(member)) {
      for (const Function *owner : owners.lookup(function))
        if (cast<Function>(map[owner])->empty())
          fail("it takes the address of a block of another function, " + owner->getName());
      fill(*function, *cast<Function>(map[function]), source, map, declarer);
    }
  for (GlobalValue *member : members)
    if (auto *variable = dyn_cast<GlobalVariable>(member))
      cast<GlobalVariable>(map[variable])
          ->setInitializer(MapValue(variable->getInitializer(), map, RF_None, nullptr, &declarer));
  bool is_single = count_if(members, [](GlobalValue *member) { return isa<Function>(member); }) == 1;
  if (alone && is_single) extract->function = cast<Function>(map[alone]);
  return extract;
}

Function *import(Extract &into, const Extract &from) {
  Function &function = *from.function;
  auto *copy = Function::Create(function.getFunctionType(), GlobalValue::ExternalLinkage,
                                function.getAddressSpace(), "", into.module.get());
  ValueToValueMapTy map;
  Declarer declarer(into, from);
  clone_header(function, *copy, map, declarer);
  clone_body(function, *copy, map, declarer);
  return copy;
}

void discard(Function &copy) {
  copy.dropAllReferences();
  copy.eraseFromParent();
}
