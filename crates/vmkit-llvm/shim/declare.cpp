// Declarations of what extracted code names.
#include "extract.h"

#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/Constants.h"

using namespace llvm;

namespace {

// Data larger than this may be placed out of reach of code.
constexpr uint64_t LargestNear = 16 << 20;
// Constants up to this size are shown to the optimizer.
constexpr uint64_t LargestShown = 4096;

bool is_defined(const GlobalValue &value) { return !value.isDeclarationForLinker(); }

GlobalValue::LinkageTypes linkage(const GlobalValue &value) {
  return value.hasExternalWeakLinkage() ? GlobalValue::ExternalWeakLinkage : GlobalValue::ExternalLinkage;
}

uint8_t kind(const GlobalValue &value) {
  if (isa<FunctionType>(value.getValueType())) return VK_FUNCTION;
  return value.isThreadLocal() ? VK_THREAD_LOCAL : VK_DATA;
}

// Is the assembler's name not that of the value?
bool is_decorated(const GlobalValue &value) {
  auto *function = dyn_cast<Function>(&value);
  return function && (function->getCallingConv() == CallingConv::X86_VectorCall ||
                      function->getCallingConv() == CallingConv::X86_FastCall ||
                      function->getCallingConv() == CallingConv::X86_StdCall);
}

// What was said, or found out, of a body that may be another one day.
void forget_body(Function &declared) {
  for (auto attribute : {Attribute::Memory, Attribute::NoUnwind, Attribute::WillReturn, Attribute::NoReturn,
                         Attribute::NoSync, Attribute::NoFree, Attribute::NoRecurse, Attribute::NoCallback,
                         Attribute::MustProgress, Attribute::Speculatable})
    declared.removeFnAttr(attribute);
  AttributeMask values;
  for (auto attribute : {Attribute::Captures, Attribute::ReadOnly, Attribute::ReadNone, Attribute::WriteOnly,
                         Attribute::Returned, Attribute::Initializes, Attribute::Range, Attribute::NoFree})
    values.addAttribute(attribute);
  for (unsigned number = 0; number < declared.arg_size(); ++number) declared.removeParamAttrs(number, values);
  for (auto attribute : {Attribute::NoAlias, Attribute::NonNull, Attribute::Dereferenceable,
                         Attribute::DereferenceableOrNull, Attribute::NoUndef})
    values.addAttribute(attribute);
  declared.removeRetAttrs(values);
}

// What LLVM marks so stands as it is.
StringRef plain_name(const GlobalValue &value) {
  StringRef name = value.getName();
  name.consume_front("\1");
  return name;
}

} // namespace

StringRef vk_module::name(const GlobalValue &value) {
  if (!is_decorated(value)) return plain_name(value);
  auto [place, is_new] = names.try_emplace(&value);
  if (is_new) {
    raw_string_ostream out(place->second);
    mangler.getNameWithPrefix(out, &value, /*CannotUsePrivateLabel=*/true);
  }
  return place->second;
}

uint32_t Needed::add(const GlobalValue &value) {
  auto [place, is_new] = numbers.try_emplace(&value, list.size());
  if (is_new) {
    vk_bytes name = bytes(module.name(value));
    list.push_back({name, name, module.number, module.key(&value), kind(value), value.hasLocalLinkage(),
                    value.hasExternalWeakLinkage()});
  }
  return place->second;
}

// A name that means nothing else to the unit's own module, whose assembly names things by text.
std::string Extract::free_name(Origin origin) const {
  StringRef name = origin.value->getName();
  if (origin.module == &home) return name.str();
  const GlobalValue *other = home.module->getNamedValue(name);
  bool is_taken = origin.value->hasLocalLinkage() || (other && other->hasLocalLinkage());
  return is_taken ? (name + ".vk" + Twine(origin.module->number)).str() : name.str();
}

GlobalValue *Extract::declare(Origin origin) {
  GlobalValue &value = *origin.value;
  auto *known = value.hasLocalLinkage() ? own.lookup(&value) : shared.lookup(value.getName());
  if (known) {
    // It may stay undefined if any of its users can live with that.
    if (value.hasExternalWeakLinkage() && known->isDeclaration()) known->setLinkage(GlobalValue::ExternalWeakLinkage);
    return known;
  }
  std::string name = free_name(origin);
  GlobalValue *declared = nullptr;
  auto *alias = dyn_cast<GlobalAlias>(&value);
  auto *base = alias ? dyn_cast_or_null<GlobalVariable>(alias->getAliaseeObject()) : nullptr;
  if (auto *function = dyn_cast<FunctionType>(value.getValueType()))
    declared = declare_function(value, function, name);
  else if (base && worker.options.level > 0 && !alias->isThreadLocal())
    declared = declare_alias(value, *cast<Constant>(declare({origin.module, base})), name);
  else if (!alias && is_alias_elsewhere(origin))
    declared = declare_alias(value, anything(), name);
  else
    declared = declare_variable(meant(origin), linkage(value), name);
  adopt(*declared, origin);
  return declared;
}

void Extract::adopt(GlobalValue &declared, Origin origin) {
  if (origin.value->hasLocalLinkage())
    own[origin.value] = &declared;
  else
    shared[origin.value->getName()] = &declared;
  numbers[&declared] = origins.size();
  origins.push_back({&declared, origin});
}

Origin find(vk_worker &worker, StringRef name) {
  const vk_session *session = worker.session;
  vk_definition found;
  if (!session || !session->find(session->context, bytes(name), &found)) return {};
  vk_module &module = load(worker, found.module, found.bitcode, found.name);
  return {&module, module.values.at(found.key)};
}

// The variable that a declaration means, where a module defines it; else the declaration.
const GlobalValue &Extract::meant(Origin origin) const {
  if (is_defined(*origin.value) || worker.options.level == 0) return *origin.value;
  auto *found = dyn_cast_or_null<GlobalVariable>(find(worker, origin.module->name(*origin.value)).value);
  return found && is_defined(*found) && found->isThreadLocal() == origin.value->isThreadLocal() ? *found : *origin.value;
}

Origin Extract::origin(const GlobalValue &declared) const {
  auto number = numbers.find(&declared);
  return number == numbers.end() ? Origin() : origins[number->second].second;
}

void Extract::list(std::vector<vk_needed> &needed, std::deque<std::string> &symbols) const {
  Mangler mangler;
  needed.clear(), symbols.clear();
  for (auto [declared, origin] : origins) {
    vk_bytes name = bytes(origin.module->name(*origin.value));
    vk_bytes symbol = name;
    if (declared->getName() != origin.value->getName()) {
      std::string &text = symbols.emplace_back(plain_name(*declared).str());
      if (is_decorated(*declared)) {
        text.clear();
        raw_string_ostream out(text);
        mangler.getNameWithPrefix(out, declared, /*CannotUsePrivateLabel=*/true);
      }
      symbol = bytes(text);
    }
    bool is_weak = origin.value->hasExternalWeakLinkage() || declared->hasExternalWeakLinkage();
    needed.push_back({name, symbol, origin.module->number, origin.module->key(origin.value), kind(*origin.value),
                      origin.value->hasLocalLinkage(), is_weak});
  }
}

Function *Extract::declare_function(const GlobalValue &value, FunctionType *type, StringRef name) {
  auto *declared = Function::Create(type, linkage(value), value.getAddressSpace(), name, module.get());
  if (auto *function = dyn_cast<Function>(&value)) {
    declared->setCallingConv(function->getCallingConv());
    declared->setAttributes(function->getAttributes());
    // Calls are bound directly here, not through a table.
    declared->removeFnAttr(Attribute::NonLazyBind);
    if (worker.options.redefinition && is_defined(value) && !value.hasLocalLinkage()) forget_body(*declared);
  }
  // A function of the session's has its stub in reach.
  declared->setDSOLocal(is_defined(value));
  return declared;
}

GlobalVariable *Extract::declare_variable(const GlobalValue &value, GlobalValue::LinkageTypes linkage, StringRef name) {
  auto *variable = dyn_cast<GlobalVariable>(&value);
  // A declaration's word is not enough: programs declare what they write as constant.
  bool is_constant = variable && variable->isConstant() && is_defined(value);
  bool is_thread_local = value.isThreadLocal();
  auto *declared = new GlobalVariable(
      *module, value.getValueType(), is_constant, linkage, nullptr, name, nullptr,
      is_thread_local ? GlobalValue::GeneralDynamicTLSModel : GlobalValue::NotThreadLocal, value.getAddressSpace());
  if (variable) declared->setAlignment(variable->getAlign());
  declared->setDSOLocal(!is_thread_local && is_near(value));
  if (variable && worker.options.level > 0 && is_shown(*variable)) {
    declared->setInitializer(const_cast<Constant *>(variable->getInitializer()));
    declared->setLinkage(GlobalValue::AvailableExternallyLinkage);
  }
  return declared;
}

// Two variables would be taken for two places in memory. `declare_aliases` ends it.
GlobalAlias *Extract::declare_alias(const GlobalValue &value, Constant &aliasee, StringRef name) {
  auto *declared = GlobalAlias::create(value.getValueType(), value.getAddressSpace(), GlobalValue::WeakAnyLinkage,
                                       name, &aliasee, module.get());
  declared->setDSOLocal(is_near(value));
  return declared;
}

// Code of several modules may come together here, and one of them say what another does not know.
bool Extract::is_alias_elsewhere(Origin origin) const {
  const vk_session *session = worker.session;
  return session && !is_defined(*origin.value) && !origin.value->isThreadLocal() &&
         session->is_alias(session->context, bytes(origin.module->name(*origin.value)));
}

// A place that nothing is known of.
GlobalVariable &Extract::anything() {
  if (!unknown)
    unknown = new GlobalVariable(*module, Type::getInt8Ty(worker.context), /*isConstant=*/false,
                                 GlobalValue::ExternalLinkage, nullptr, "vk.unknown");
  return *unknown;
}

// May loads from it be folded?
bool Extract::is_shown(const GlobalVariable &variable) const {
  if (worker.options.redefinition && !variable.hasLocalLinkage()) return false;
  return variable.isConstant() && variable.hasDefinitiveInitializer() && !variable.isThreadLocal() &&
         isa<ConstantData>(variable.getInitializer()) &&
         module->getDataLayout().getTypeAllocSize(variable.getValueType()) <= LargestShown;
}

bool Extract::is_near(const GlobalValue &value) const {
  if (worker.options.far_data || !is_defined(value) || !value.getValueType()->isSized()) return false;
  return module->getDataLayout().getTypeAllocSize(value.getValueType()) <= LargestNear;
}

Value *Declarer::materialize(Value *value) {
  auto *global = dyn_cast<GlobalValue>(value);
  if (!global) return nullptr;
  if (module) return global->getParent() == module->module.get() ? into.declare({module, global}) : nullptr;
  if (global->getParent() != extract->module.get()) return nullptr;
  Origin origin = extract->origin(*global);
  if (!origin.value) return declare_made(*global);
  GlobalValue *declared = into.declare(origin);
  if (global->hasExternalWeakLinkage() && declared->isDeclaration())
    declared->setLinkage(GlobalValue::ExternalWeakLinkage);
  return declared;
}

// What the optimizer made: declarations of library functions, and constants of the code's own.
GlobalValue *Declarer::declare_made(GlobalValue &value) {
  GlobalValue *&known = made[&value];
  if (known) return known;
  if (auto *function = dyn_cast<Function>(&value)) {
    auto declared = into.module->getOrInsertFunction(value.getName(), function->getFunctionType(), function->getAttributes());
    return known = cast<GlobalValue>(declared.getCallee());
  }
  auto &variable = cast<GlobalVariable>(value);
  Constant *initializer = variable.hasInitializer() ? variable.getInitializer() : nullptr;
  auto *copy = new GlobalVariable(*into.module, variable.getValueType(), variable.isConstant(), variable.getLinkage(),
                                  nullptr, variable.getName(), nullptr, variable.getThreadLocalMode(),
                                  variable.getAddressSpace());
  copy->copyAttributesFrom(&variable);
  known = copy;
  ValueToValueMapTy map;
  if (initializer) copy->setInitializer(MapValue(initializer, map, RF_None, nullptr, this));
  return copy;
}

void declare_aliases(Module &module) {
  // The code generator reorders what different variables hold, but knows nothing of a number's place.
  auto *number = ConstantInt::get(Type::getInt64Ty(module.getContext()), 1);
  for (GlobalAlias &alias : module.aliases()) {
    alias.setLinkage(GlobalValue::AvailableExternallyLinkage);
    alias.setAliasee(ConstantExpr::getIntToPtr(number, alias.getType()));
  }
}
