// Debug information of a function that is compiled alone: what it uses, not what its module has.
#include "extract.h"

#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;

void trim_debug_info(vk_module &source) {
  if (source.is_trimmed) return;
  source.is_trimmed = true;
  for (DICompileUnit *unit : source.module->debug_compile_units()) {
    unit->replaceEnumTypes({});
    unit->replaceRetainedTypes({});
    unit->replaceImportedEntities({});
    unit->replaceMacros({});
    unit->replaceGlobalVariables({});
  }
}

namespace {

// The compile units that the function's code comes from, its own first.
SetVector<DICompileUnit *> units_of(const Function &function) {
  SetVector<DICompileUnit *> units;
  if (DISubprogram *subprogram = function.getSubprogram()) units.insert(subprogram->getUnit());
  for (const Instruction &instruction : instructions(function))
    for (const DILocation *place = instruction.getDebugLoc(); place; place = place->getInlinedAt())
      if (DISubprogram *subprogram = place->getScope()->getSubprogram()) units.insert(subprogram->getUnit());
  units.remove(nullptr);
  return units;
}

} // namespace

void add_debug_info(const Extract &extract) {
  Module &target = *extract.module;
  SetVector<DICompileUnit *> units;
  for (const Function &function : target) units.insert_range(units_of(function));
  if (units.empty()) return;
  NamedMDNode *list = target.getOrInsertNamedMetadata("llvm.dbg.cu");
  for (DICompileUnit *unit : units) list->addOperand(unit);
  SmallVector<Metadata *> variables;
  for (GlobalVariable &variable : target.globals()) {
    auto *original = dyn_cast_or_null<GlobalVariable>(extract.origin(variable).value);
    if (!original) continue;
    SmallVector<DIGlobalVariableExpression *, 1> described;
    original->getDebugInfo(described);
    for (DIGlobalVariableExpression *description : described) {
      variable.addDebugInfo(description);
      variables.push_back(description);
    }
  }
  // The units are their modules' as well, which have no use for the lists.
  for (DICompileUnit *unit : units) unit->replaceGlobalVariables({});
  units[0]->replaceGlobalVariables(MDTuple::get(target.getContext(), variables));
}
