// One function alone in a module of its own, with declarations around it.
#include "worker.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/GVMaterializer.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/ValueMapper.h"

using namespace llvm;

namespace {

// Data larger than this may be placed out of reach of code.
constexpr uint64_t LargestNear = 16 << 20;
// Constants up to this size are shown to the optimizer.
constexpr uint64_t LargestShown = 4096;

// Declares in `target` what cloned code names.
class Declarer : public ValueMaterializer {
public:
  Declarer(vk_worker &worker, vk_module &source, Module &target, Needed &needed)
      : worker(worker), source(source), target(target), needed(needed) {}

  Value *materialize(Value *value) override {
    auto *global = dyn_cast<GlobalValue>(value);
    if (!global || global->getParent() != source.module.get()) return nullptr;
    if (GlobalValue *declared = target.getNamedValue(global->getName())) return declared;
    needed.add(*global);
    if (auto *function = dyn_cast<FunctionType>(global->getValueType()))
      return declare_function(*global, function);
    auto *alias = dyn_cast<GlobalAlias>(global);
    if (alias && worker.options.level > 0 && !alias->isThreadLocal())
      if (auto *base = dyn_cast_or_null<GlobalVariable>(alias->getAliaseeObject()))
        return declare_alias(*alias, *base);
    return declare_variable(*global);
  }

private:
  static bool is_defined(const GlobalValue &value) { return !value.isDeclarationForLinker(); }

  static GlobalValue::LinkageTypes linkage(const GlobalValue &value) {
    return value.hasExternalWeakLinkage() ? GlobalValue::ExternalWeakLinkage
                                          : GlobalValue::ExternalLinkage;
  }

  Function *declare_function(const GlobalValue &value, FunctionType *type) {
    auto *declared = Function::Create(type, linkage(value), value.getAddressSpace(), value.getName(), &target);
    if (auto *function = dyn_cast<Function>(&value)) {
      declared->setCallingConv(function->getCallingConv());
      declared->setAttributes(function->getAttributes());
      // Calls are bound directly here, not through a table.
      declared->removeFnAttr(Attribute::NonLazyBind);
    }
    // A function of the session's has its stub in reach.
    declared->setDSOLocal(is_defined(value));
    return declared;
  }

  GlobalVariable *declare_variable(GlobalValue &value) {
    auto *variable = dyn_cast<GlobalVariable>(&value);
    bool is_constant = variable && variable->isConstant();
    bool is_thread_local = value.isThreadLocal();
    auto *declared = new GlobalVariable(
        target, value.getValueType(), is_constant, linkage(value), nullptr, value.getName(), nullptr,
        is_thread_local ? GlobalValue::GeneralDynamicTLSModel : GlobalValue::NotThreadLocal,
        value.getAddressSpace());
    if (variable) declared->setAlignment(variable->getAlign());
    declared->setDSOLocal(!is_thread_local && is_near(value));
    if (variable && worker.options.level > 0 && is_shown(*variable)) {
      declared->setInitializer(variable->getInitializer());
      declared->setLinkage(GlobalValue::AvailableExternallyLinkage);
    }
    return declared;
  }

  // Two variables would be taken for two places in memory. `declare_aliases` undoes it.
  GlobalAlias *declare_alias(GlobalAlias &value, GlobalVariable &base) {
    auto *declared = GlobalAlias::create(value.getValueType(), value.getAddressSpace(), GlobalValue::WeakAnyLinkage,
                                         value.getName(), cast<Constant>(materialize(&base)), &target);
    declared->setDSOLocal(is_near(value));
    return declared;
  }

  // May loads from it be folded?
  bool is_shown(const GlobalVariable &variable) const {
    return variable.isConstant() && variable.hasDefinitiveInitializer() && !variable.isThreadLocal() &&
           (isa<ConstantData>(variable.getInitializer())) &&
           target.getDataLayout().getTypeAllocSize(variable.getValueType()) <= LargestShown;
  }

  bool is_near(const GlobalValue &value) const {
    if (worker.options.far_data || !is_defined(value) || !value.getValueType()->isSized()) return false;
    return target.getDataLayout().getTypeAllocSize(value.getValueType()) <= LargestNear;
  }

  vk_worker &worker;
  vk_module &source;
  Module &target;
  Needed &needed;
};

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

// The address of a block of a function that is compiled elsewhere cannot be known here.
void refuse_foreign_labels(const Function &function, const Constant &constant) {
  if (auto *label = dyn_cast<BlockAddress>(&constant)) {
    if (label->getFunction() != &function)
      fail("it takes the address of a block of another function, " + label->getFunction()->getName());
  } else if (!isa<GlobalValue>(constant)) {
    for (const Use &operand : constant.operands())
      refuse_foreign_labels(function, *cast<Constant>(operand));
  }
}

void refuse_foreign_labels(const Function &function) {
  for (const Instruction &instruction : instructions(function))
    for (const Value *operand : instruction.operands())
      if (auto *constant = dyn_cast<Constant>(operand)) refuse_foreign_labels(function, *constant);
}

Function *declare_own(Function &function, Module &target) {
  auto *own = Function::Create(function.getFunctionType(), GlobalValue::ExternalLinkage,
                               function.getAddressSpace(), function.getName(), &target);
  make_own(*own);
  return own;
}

// Both modules are of one context, and can share what is said about the source.
bool is_shared_node(const Metadata *node) { return isa<DINode, DILocation>(node); }
const MetadataPredicate is_shared = is_shared_node;

void clone_body(const Function &function, Function &own, ValueToValueMapTy &map, Declarer &declarer) {
  SmallVector<ReturnInst *> returns;
  CloneFunctionBodyInto(own, function, map, RF_None, returns, "", nullptr, nullptr, &declarer, &is_shared);
}

// Takes the body away; whoever wants the function again reads it again.
void move_body(Function &function, Function &own, ValueToValueMapTy &map, Declarer &declarer) {
  own.splice(own.begin(), &function);
  function.setIsMaterializable(true);
  for (auto [old_argument, new_argument] : zip(function.args(), own.args()))
    old_argument.replaceAllUsesWith(&new_argument);
  auto flags = RF_IgnoreMissingLocals;
  for (Instruction &instruction : instructions(own)) {
    RemapDbgRecordRange(own.getParent(), instruction.getDbgRecordRange(), map, flags, nullptr, &declarer,
                        &is_shared);
    RemapInstruction(&instruction, map, flags, nullptr, &declarer, &is_shared);
  }
}

} // namespace

uint32_t Needed::add(const GlobalValue &value) {
  auto [place, is_new] = numbers.try_emplace(&value, list.size());
  if (is_new) {
    uint8_t kind = isa<FunctionType>(value.getValueType()) ? VK_FUNCTION
                   : value.isThreadLocal()                 ? VK_THREAD_LOCAL
                                                           : VK_DATA;
    list.push_back({bytes(module.name(value)), module.key(&value), kind,
                    value.hasLocalLinkage(), value.hasExternalWeakLinkage()});
  }
  return place->second;
}

StringRef vk_module::name(const GlobalValue &value) {
  auto *function = dyn_cast<Function>(&value);
  bool is_plain = !function || (function->getCallingConv() != CallingConv::X86_VectorCall &&
                                function->getCallingConv() != CallingConv::X86_FastCall &&
                                function->getCallingConv() != CallingConv::X86_StdCall);
  if (is_plain) {
    // The marker says: as it is.
    StringRef name = value.getName();
    name.consume_front("\1");
    return name;
  }
  auto [place, is_new] = names.try_emplace(&value);
  if (is_new) {
    raw_string_ostream out(place->second);
    mangler.getNameWithPrefix(out, &value, /*CannotUsePrivateLabel=*/true);
  }
  return place->second;
}

void declare_aliases(Module &module) {
  for (GlobalAlias &alias : make_early_inc_range(module.aliases())) {
    auto *declared = new GlobalVariable(module, alias.getValueType(), /*isConstant=*/false,
                                        GlobalValue::ExternalLinkage, nullptr);
    declared->setDSOLocal(alias.isDSOLocal());
    alias.replaceAllUsesWith(declared);
    declared->takeName(&alias);
    alias.eraseFromParent();
  }
}

std::unique_ptr<Module> extract(vk_worker &worker, vk_module &source, uint32_t key, Needed &needed) {
  auto members = source.members.lookup(key);
  if (members.empty()) members.push_back(source.values.at(key));
  Module &from = *source.module;
  auto target = std::make_unique<Module>(from.getModuleIdentifier(), worker.context);
  target->setDataLayout(from.getDataLayout());
  target->setTargetTriple(worker.machine->getTargetTriple());
  if (!worker.options.keep_debug) from.getMaterializer()->setStripDebugInfo();
  if (Error error = from.materializeMetadata()) fail(std::move(error));
  if (worker.options.keep_debug) trim_debug_info(source);

  ValueToValueMapTy map;
  Declarer declarer(worker, source, *target, needed);
  for (GlobalValue *member : members) {
    needed.add(*member);
    if (auto *function = dyn_cast<Function>(member)) {
      if (Error error = function->materialize()) fail(std::move(error));
      map[function] = declare_own(*function, *target);
    } else if (auto *variable = dyn_cast<GlobalVariable>(member)) {
      auto *own = new GlobalVariable(*target, variable->getValueType(), variable->isConstant(),
                                     GlobalValue::ExternalLinkage, nullptr, variable->getName());
      own->setAlignment(target->getDataLayout().getPreferredAlign(variable));
      make_own(*own);
      map[variable] = own;
    }
  }
  copy_flags(from, *target);
  for (GlobalValue *member : members) {
    auto *function = dyn_cast<Function>(member);
    if (!function) continue;
    refuse_foreign_labels(*function);
    auto *own = cast<Function>(map[function]);
    for (auto [old_argument, new_argument] : zip(function->args(), own->args()))
      map[&old_argument] = &new_argument;
    CloneFunctionAttributesInto(own, function, map, /*ModuleLevelChanges=*/true, nullptr, &declarer);
    CloneFunctionMetadataInto(*own, *function, map, RF_None, nullptr, &declarer, &is_shared);
    // Labels that data points to must stay with the function that the data names.
    bool has_labels = any_of(*function, [](const BasicBlock &block) { return block.hasAddressTaken(); });
    if (has_labels)
      clone_body(*function, *own, map, declarer);
    else
      move_body(*function, *own, map, declarer);
    make_own(*own);
    own->setComdat(nullptr);
    if (!source.units.contains(function)) own->setSection("");
  }
  for (GlobalValue *member : members)
    if (auto *variable = dyn_cast<GlobalVariable>(member))
      cast<GlobalVariable>(map[variable])
          ->setInitializer(MapValue(variable->getInitializer(), map, RF_None, nullptr, &declarer));
  if (worker.options.keep_debug) add_debug_info(source, *target);
  return target;
}
