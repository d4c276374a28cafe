// One function alone in a module of its own, with declarations around it.
#include "worker.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/GVMaterializer.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/ValueMapper.h"

using namespace llvm;

namespace {

// Data larger than this may be placed out of reach of code.
constexpr uint64_t LargestNear = 16 << 20;
// Private constants up to this size are copied into each function that uses them.
constexpr uint64_t LargestCopy = 1024;

// May each user have a copy? Nobody can tell, if the address does not count.
bool is_copied(const GlobalVariable &variable, const DataLayout &layout) {
  return variable.hasPrivateLinkage() && variable.isConstant() && variable.hasGlobalUnnamedAddr() &&
         variable.hasInitializer() && !variable.hasSection() &&
         (isa<ConstantDataSequential>(variable.getInitializer()) ||
          isa<ConstantAggregateZero>(variable.getInitializer())) &&
         layout.getTypeAllocSize(variable.getValueType()) <= LargestCopy;
}

// Declares in `target` what cloned code names.
class Declarer : public ValueMaterializer {
public:
  Declarer(vk_worker &worker, vk_module &source, Module &target, Needed &needed)
      : worker(worker), source(source), target(target), needed(needed) {}

  Value *materialize(Value *value) override {
    auto *global = dyn_cast<GlobalValue>(value);
    if (!global || global->getParent() != source.module.get()) return nullptr;
    if (auto *variable = dyn_cast<GlobalVariable>(global))
      if (is_copied(*variable, target.getDataLayout())) return copy(*variable);
    needed.add(*global);
    if (auto *function = dyn_cast<FunctionType>(global->getValueType()))
      return declare_function(*global, function);
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

  GlobalVariable *declare_variable(const GlobalValue &value) {
    auto *variable = dyn_cast<GlobalVariable>(&value);
    bool is_constant = variable && variable->isConstant();
    bool is_thread_local = value.isThreadLocal();
    auto *declared = new GlobalVariable(
        target, value.getValueType(), is_constant, linkage(value), nullptr, value.getName(), nullptr,
        is_thread_local ? GlobalValue::GeneralDynamicTLSModel : GlobalValue::NotThreadLocal,
        value.getAddressSpace());
    if (variable) declared->setAlignment(variable->getAlign());
    declared->setDSOLocal(!is_thread_local && is_near(value));
    return declared;
  }

  bool is_near(const GlobalValue &value) const {
    if (worker.options.far_data || !is_defined(value) || !value.getValueType()->isSized()) return false;
    return target.getDataLayout().getTypeAllocSize(value.getValueType()) <= LargestNear;
  }

  GlobalVariable *copy(GlobalVariable &variable) {
    auto *copied = new GlobalVariable(target, variable.getValueType(), true, GlobalValue::PrivateLinkage,
                                      variable.getInitializer(), variable.getName());
    copied->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    copied->setAlignment(variable.getAlign());
    return copied;
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

Function *declare_own(Function &function, Module &target) {
  auto *own = Function::Create(function.getFunctionType(), GlobalValue::ExternalLinkage,
                               function.getAddressSpace(), function.getName(), &target);
  own->setDSOLocal(true);
  return own;
}

} // namespace

uint32_t Needed::add(const GlobalValue &value) {
  auto [place, is_new] = numbers.try_emplace(&value, list.size());
  if (is_new) {
    uint8_t kind = isa<FunctionType>(value.getValueType()) ? VK_FUNCTION
                   : value.isThreadLocal()                 ? VK_THREAD_LOCAL
                                                           : VK_DATA;
    list.push_back({bytes(plain_name(value)), module.keys.lookup(&value), kind,
                    value.hasLocalLinkage(), value.hasExternalWeakLinkage()});
  }
  return place->second;
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

  ValueToValueMapTy map;
  Declarer declarer(worker, source, *target, needed);
  for (GlobalValue *member : members) {
    needed.add(*member);
    if (auto *function = dyn_cast<Function>(member)) {
      if (Error error = function->materialize()) fail(std::move(error));
      if (!worker.options.keep_debug) stripDebugInfo(*function);
      map[function] = declare_own(*function, *target);
    } else if (auto *variable = dyn_cast<GlobalVariable>(member)) {
      auto *own = new GlobalVariable(*target, variable->getValueType(), variable->isConstant(),
                                     GlobalValue::ExternalLinkage, nullptr, variable->getName());
      own->setAlignment(target->getDataLayout().getPreferredAlign(variable));
      own->setDSOLocal(!worker.options.far_data);
      map[variable] = own;
    }
  }
  copy_flags(from, *target);
  for (GlobalValue *member : members) {
    auto *function = dyn_cast<Function>(member);
    if (!function) continue;
    auto *own = cast<Function>(map[function]);
    for (auto [old_argument, new_argument] : zip(function->args(), own->args()))
      map[&old_argument] = &new_argument;
    SmallVector<ReturnInst *> returns;
    CloneFunctionInto(own, function, map, CloneFunctionChangeType::DifferentModule, returns, "", nullptr,
                      nullptr, &declarer);
    own->setLinkage(GlobalValue::ExternalLinkage);
    own->setVisibility(GlobalValue::DefaultVisibility);
    own->setDSOLocal(true);
    own->setComdat(nullptr);
    own->setSection("");
  }
  for (GlobalValue *member : members)
    if (auto *variable = dyn_cast<GlobalVariable>(member))
      cast<GlobalVariable>(map[variable])
          ->setInitializer(MapValue(variable->getInitializer(), map, RF_None, nullptr, &declarer));
  return target;
}
