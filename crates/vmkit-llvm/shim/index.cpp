// What a module defines and needs.
#include "worker.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/Object/ModuleSymbolTable.h"

using namespace llvm;

namespace {

// A section whose bounds the linker names.
bool is_c_identifier(StringRef name) {
  return !name.empty() && !isDigit(name[0]) && all_of(name, [](char c) { return isAlnum(c) || c == '_'; });
}

uint8_t linkage(const GlobalValue &value) {
  switch (value.getLinkage()) {
  case GlobalValue::ExternalLinkage: return value.isDeclaration() ? VK_UNDEFINED : VK_STRONG;
  case GlobalValue::AvailableExternallyLinkage: return VK_UNDEFINED;
  case GlobalValue::LinkOnceAnyLinkage:
  case GlobalValue::LinkOnceODRLinkage:
  case GlobalValue::WeakAnyLinkage:
  case GlobalValue::WeakODRLinkage: return VK_WEAK;
  case GlobalValue::AppendingLinkage: return VK_IGNORED;
  case GlobalValue::InternalLinkage:
  case GlobalValue::PrivateLinkage: return VK_PRIVATE;
  case GlobalValue::ExternalWeakLinkage: return VK_UNDEFINED_WEAK;
  case GlobalValue::CommonLinkage: return VK_COMMON;
  }
  return VK_IGNORED;
}

void variable(const GlobalVariable &variable, const DataLayout &layout, vk_symbol &symbol) {
  symbol.kind = variable.isThreadLocal() ? VK_THREAD_LOCAL : VK_DATA;
  if (variable.getValueType()->isSized()) {
    symbol.size = layout.getTypeAllocSize(variable.getValueType());
    symbol.align = layout.getPreferredAlign(&variable).value();
  }
  StringRef section = variable.getSection();
  if (is_c_identifier(section) || section.starts_with(".init_array") || section.starts_with(".preinit_array") ||
      section.starts_with(".fini_array"))
    symbol.section = bytes(section);
  // Lists for the linker, not data of the program.
  if (variable.getName().starts_with("llvm.") || variable.getSection() == "llvm.metadata")
    symbol.linkage = VK_IGNORED;
}

// What an alias stands for: an object, and an offset in it.
std::pair<const GlobalObject *, int64_t> resolve(const GlobalAlias &alias, const DataLayout &layout) {
  const GlobalObject *base = alias.getAliaseeObject();
  if (!base) fail("alias " + alias.getName() + " has no object");
  APInt offset(layout.getIndexTypeSizeInBits(alias.getType()), 0);
  const Value *stripped = alias.getAliasee();
  // Aliases of aliases: the offsets add up.
  while (true) {
    stripped = stripped->stripAndAccumulateConstantOffsets(layout, offset, /*AllowNonInbounds=*/true);
    auto *next = dyn_cast<GlobalAlias>(stripped);
    if (!next) break;
    stripped = next->getAliasee();
  }
  if (stripped != base) fail("alias " + alias.getName() + " is no object and an offset");
  return {base, offset.getSExtValue()};
}

void structors(vk_module &module, StringRef name, std::vector<vk_structor> &list) {
  auto *variable = module.module->getNamedGlobal(name);
  if (!variable || !variable->hasInitializer()) return;
  auto *array = dyn_cast<ConstantArray>(variable->getInitializer());
  if (!array) return;
  for (const Use &use : array->operands()) {
    auto *entry = cast<ConstantStruct>(use);
    auto *function = dyn_cast<GlobalValue>(entry->getOperand(1)->stripPointerCasts());
    if (!function) continue;
    auto priority = cast<ConstantInt>(entry->getOperand(0))->getLimitedValue(UINT16_MAX);
    list.push_back({module.key(function), static_cast<uint16_t>(priority)});
  }
}

// Variables whose initializers hold the address of a label in `function`.
void label_users(const Constant *constant, SmallVectorImpl<GlobalVariable *> &variables) {
  for (const User *user : constant->users()) {
    if (auto *variable = dyn_cast<GlobalVariable>(user))
      variables.push_back(const_cast<GlobalVariable *>(variable));
    else if (auto *outer = dyn_cast<Constant>(user))
      label_users(outer, variables);
  }
}

// Is it a table of labels that only the function itself can have named, as computed gotos in C have it?
// (Where an optimizer has put a use of it into another function, that one gets a copy of both.)
bool is_own_table(const GlobalValue &member, const Function &function) {
  auto *variable = dyn_cast<GlobalVariable>(&member);
  if (!variable || !variable->isConstant() || !variable->hasLocalLinkage() || variable->hasSection() ||
      variable->isThreadLocal())
    return false;
  auto is_own = [&](const User *user, auto &is_own) -> bool {
    if (auto *instruction = dyn_cast<Instruction>(user)) return instruction->getFunction() == &function;
    if (isa<GlobalValue>(user)) return false;
    return all_of(user->users(), [&](const User *outer) { return is_own(outer, is_own); });
  };
  return all_of(variable->users(), [&](const User *user) { return is_own(user, is_own); });
}

// The function that can be compiled alone, bringing the rest of the group along as its own.
Function *owner(ArrayRef<GlobalValue *> group) {
  auto *function = dyn_cast<Function>(group.front());
  if (!function || is_c_identifier(function->getSection())) return nullptr;
  bool is_owner = all_of(group.drop_front(), [&](GlobalValue *member) { return is_own_table(*member, *function); });
  return is_owner ? function : nullptr;
}

} // namespace

void find_units(vk_module &module) {
  EquivalenceClasses<GlobalValue *> groups;
  for (Function &function : *module.module) {
    // Loading has read exactly those bodies that labels in data are in.
    if (function.isDeclaration() || function.isMaterializable()) continue;
    for (BasicBlock &block : function) {
      if (!block.hasAddressTaken()) continue;
      BlockAddress *address = BlockAddress::lookup(&block);
      if (!address) continue;
      SmallVector<GlobalVariable *> variables;
      label_users(address, variables);
      for (GlobalVariable *variable : variables) groups.unionSets(&function, variable);
    }
  }
  // Functions between __start_NAME and __stop_NAME lie side by side.
  StringMap<GlobalValue *> sections;
  for (Function &function : *module.module) {
    if (function.isDeclarationForLinker() || !is_c_identifier(function.getSection())) continue;
    auto [first, is_new] = sections.try_emplace(function.getSection(), &function);
    groups.unionSets(first->second, &function);
  }
  for (const auto *group : groups) {
    if (!group->isLeader()) continue;
    std::vector<GlobalValue *> members(groups.member_begin(*group), groups.member_end());
    // Functions first.
    llvm::sort(members, [&](GlobalValue *a, GlobalValue *b) { return module.key(a) < module.key(b); });
    Function *alone = owner(members);
    uint32_t unit = module.key(alone ? members[1] : members[0]);
    for (GlobalValue *member : members)
      if (member != alone) module.units[member] = unit;
    if (alone) module.members[module.key(alone)] = members;
    module.members[unit] = std::move(members);
  }
}

namespace {

void describe(const Function &function, vk_symbol &symbol) {
  symbol.kind = VK_FUNCTION;
  if (function.isIntrinsic()) symbol.linkage = VK_IGNORED;
  // The address is that of the code if something is stored in front of it, or if it is wanted at a
  // rounder place than stubs are.
  if (function.hasPrefixData() || function.getAlign().valueOrOne() > Align(16)) symbol.flags |= VK_WHOLE;
  if (is_c_identifier(function.getSection())) symbol.section = bytes(function.getSection());
}

} // namespace

extern "C" int vk_read_index(vk_worker *worker, vk_module *module, vk_index *index) {
  return guarded(worker, [&] {
    auto found = std::make_unique<IndexBuffers>();
    for (GlobalValue *value : module->values) {
      if (const Comdat *comdat = value->getComdat())
        if (found->comdat_numbers.try_emplace(comdat, found->comdats.size() + 1).second)
          found->comdats.push_back(bytes(comdat->getName()));
      if (auto *other = dyn_cast<GlobalAlias>(value)) resolve(*other, module->module->getDataLayout());
    }
    structors(*module, "llvm.global_ctors", found->constructors);
    structors(*module, "llvm.global_dtors", found->destructors);
    if (!module->module->getModuleInlineAsm().empty())
      ModuleSymbolTable::CollectAsmSymvers(*module->module, [&](StringRef name, StringRef version) {
        auto &kept = found->version_names.emplace_back(name.str(), version.str());
        found->versions.push_back({bytes(kept.first), bytes(kept.second)});
      });
    *index = {module->values.size(),      found->comdats.data(),     found->comdats.size(),
              found->constructors.data(), found->constructors.size(), found->destructors.data(),
              found->destructors.size(),  found->versions.data(),    found->versions.size(),
              !module->module->getModuleInlineAsm().empty()};
    worker->index = std::move(found);
  });
}

extern "C" void vk_read_symbol(vk_worker *worker, vk_module *module, uint32_t key, vk_symbol *out) {
  GlobalValue *value = module->values[key];
  const DataLayout &layout = module->module->getDataLayout();
  vk_symbol symbol = {};
  symbol.name = bytes(module->name(*value));
  symbol.align = 1;
  symbol.linkage = linkage(*value);
  symbol.visibility = value->getVisibility();
  auto unit = module->units.find(value);
  symbol.unit = unit == module->units.end() ? key : unit->second;
  if (unit != module->units.end()) symbol.flags |= VK_WHOLE;
  if (const Comdat *comdat = value->getComdat()) symbol.comdat = worker->index->comdat_numbers.lookup(comdat);
  if (auto *function = dyn_cast<Function>(value)) {
    describe(*function, symbol);
  } else if (auto *global = dyn_cast<GlobalVariable>(value)) {
    variable(*global, layout, symbol);
  } else if (auto *other = dyn_cast<GlobalAlias>(value)) {
    auto [base, offset] = resolve(*other, layout);
    symbol.kind = VK_ALIAS, symbol.target = module->key(base), symbol.offset = offset;
    if (isa<Function>(base)) symbol.flags |= VK_CODE;
  } else if (auto *ifunc = dyn_cast<GlobalIFunc>(value)) {
    symbol.kind = VK_IFUNC;
    symbol.target = module->key(ifunc->getResolverFunction());
  }
  *out = symbol;
}
