// Modules of one function each, taken out of the modules they were loaded in.
#ifndef VMKIT_EXTRACT_H
#define VMKIT_EXTRACT_H

#include "worker.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Transforms/Utils/ValueMapper.h"

// A value of a loaded module.
struct Origin {
  vk_module *module = nullptr;
  llvm::GlobalValue *value = nullptr;
};

// A unit in a module of its own, with declarations around it. What it names can come from any module,
// since bodies of other functions become part of it.
class Extract {
public:
  Extract(vk_worker &worker, vk_module &home);
  // The declaration of a loaded module's value, made if there is none.
  llvm::GlobalValue *declare(Origin origin);
  // Makes `own` stand for the value.
  void adopt(llvm::GlobalValue &own, Origin origin);
  // What a declaration stands for; nothing if the optimizer made it.
  Origin origin(const llvm::GlobalValue &declared) const;
  // Everything declared or defined, in the order of `names`.
  void list(std::vector<vk_needed> &needed, std::deque<std::string> &symbols) const;
  // The place of a value in that list.
  uint32_t number(Origin origin) { return numbers.lookup(declare(origin)); }

  vk_worker &worker;
  vk_module &home;
  std::unique_ptr<llvm::Module> module;
  // If the unit is one function.
  llvm::Function *function = nullptr;
  // The functions whose bodies became part of it, with the hashes of those.
  llvm::MapVector<const llvm::GlobalValue *, std::pair<vk_module *, uint64_t>> inlined;

private:
  std::string free_name(Origin origin) const;
  llvm::Function *declare_function(const llvm::GlobalValue &value, llvm::FunctionType *type, llvm::StringRef name);
  llvm::GlobalVariable *declare_variable(const llvm::GlobalValue &value, llvm::GlobalValue::LinkageTypes linkage,
                                         llvm::StringRef name);
  llvm::GlobalAlias *declare_alias(const llvm::GlobalValue &value, llvm::Constant &aliasee, llvm::StringRef name);
  const llvm::GlobalValue &meant(Origin origin) const;
  bool is_alias_elsewhere(Origin origin) const;
  llvm::GlobalVariable &anything();
  bool is_shown(const llvm::GlobalVariable &variable) const;
  bool is_near(const llvm::GlobalValue &value) const;

  // What many modules can name, by name; what one module can, by its value.
  llvm::StringMap<llvm::GlobalValue *> shared;
  llvm::DenseMap<const llvm::GlobalValue *, llvm::GlobalValue *> own;
  std::vector<std::pair<llvm::GlobalValue *, Origin>> origins;
  llvm::DenseMap<const llvm::GlobalValue *, uint32_t> numbers;
  llvm::GlobalVariable *unknown = nullptr;
};

// What a name that every module can see stands for; nothing where no module defines it.
Origin find(vk_worker &worker, llvm::StringRef name);

// Declares what cloned code names, which comes from a loaded module, or from another extract.
class Declarer : public llvm::ValueMaterializer {
public:
  Declarer(Extract &into, vk_module &from) : into(into), module(&from) {}
  Declarer(Extract &into, const Extract &from) : into(into), extract(&from) {}
  llvm::Value *materialize(llvm::Value *value) override;

private:
  llvm::GlobalValue *declare_made(llvm::GlobalValue &value);

  Extract &into;
  vk_module *module = nullptr;
  const Extract *extract = nullptr;
  // What the optimizer made in the other extract.
  llvm::DenseMap<const llvm::GlobalValue *, llvm::GlobalValue *> made;
};

// Which nodes modules of one context share.
extern const llvm::MetadataPredicate is_shared;

// A module that holds the unit `key` alone, with declarations around it.
std::unique_ptr<Extract> extract(vk_worker &worker, vk_module &source, uint32_t key);
// Does the function name labels of other functions?
bool names_foreign_label(const llvm::Function &function);
// What stands for aliases of data while an extracted module is optimized is no definition afterwards.
void declare_aliases(llvm::Module &module);
// A copy of the extract's function, for inlining.
llvm::Function *import(Extract &into, const Extract &from);
// Drops a copy.
void discard(llvm::Function &copy);

// Inlines into the extract's functions what is worth it. After the optimizer went over the extract,
// once more: calls of functions that were not known then. Tells whether anything was inlined.
class Inliner {
public:
  Inliner(Extract &into, unsigned depth) : into(into), depth(depth) {}
  bool run();

private:
  struct Site;
  class Run;
  Extract &into;
  unsigned depth;
  // What calls of a function run, null where that is not to be inlined.
  llvm::DenseMap<const llvm::Function *, Extract *> candidates;
};

// Gives an extracted module the compile units, and the variables it uses a description.
void add_debug_info(const Extract &extract);
// A hash of a body that has been read; see vk_body_hash.
uint64_t body_hash(const vk_module &module, const llvm::Function &function);

#endif
