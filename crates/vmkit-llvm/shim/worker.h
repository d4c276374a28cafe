// What the parts of the shim share.
#ifndef VMKIT_WORKER_H
#define VMKIT_WORKER_H

#include "crash.h"
#include "shim.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Mangler.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// A failure on its way to the caller; never crosses the C interface.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void fail(const llvm::Twine &what);
[[noreturn]] void fail(llvm::Error error);

template <typename T> T check(llvm::Expected<T> value) {
  if (!value) fail(value.takeError());
  return std::move(*value);
}

inline llvm::StringRef ref(vk_bytes bytes) { return {bytes.data, bytes.size}; }
inline vk_bytes bytes(llvm::StringRef text) { return {text.data(), text.size()}; }

// What vk_read_index handed out.
struct IndexBuffers {
  // Plus one.
  llvm::DenseMap<const llvm::Comdat *, uint32_t> comdat_numbers;
  std::vector<vk_bytes> comdats;
  std::vector<vk_structor> constructors, destructors;
  std::deque<std::pair<std::string, std::string>> version_names;
  std::vector<vk_version> versions;
};

struct vk_module {
  uint32_t number;
  std::unique_ptr<llvm::Module> module;
  // By key.
  std::vector<llvm::GlobalValue *> values;
  // Keys by the value's place in memory: a map would be larger than all else that is kept of a value.
  std::vector<uint32_t> by_address;
  uint32_t key(const llvm::GlobalValue *value) const;
  // Functions compiled together because data points to labels in them: by function, the first one
  // of its group; by group, functions and data.
  llvm::DenseMap<const llvm::GlobalValue *, uint32_t> units;
  llvm::DenseMap<uint32_t, std::vector<llvm::GlobalValue *>> members;
  bool is_trimmed = false; // by trim_debug_info
  // Reads a function's body, and what the module says of functions and data. What is there stays.
  void read(llvm::Function &function, const vk_options &options);
  // The name the assembler sees.
  llvm::StringRef name(const llvm::GlobalValue &value);
  // Names that differ from the values' own, by value.
  llvm::DenseMap<const llvm::GlobalValue *, std::string> names;
  llvm::Mangler mangler;
};

// Collects the global values that something names.
class Needed {
public:
  explicit Needed(vk_module &module) : module(module) {}
  uint32_t add(const llvm::GlobalValue &value);
  void clear() { list.clear(), numbers.clear(); }
  std::vector<vk_needed> list;

private:
  vk_module &module;
  llvm::DenseMap<const llvm::GlobalValue *, uint32_t> numbers;
};

namespace llvm { class MCContext; }

// The code generator, built once and run on one module after the other. Without optimization registers
// are allocated quickly, and each block begins with all values in memory; unless it `is_thorough`: that
// takes nearly twice as long and gives half the code. One for modules that are plain has less to do, and
// writes what is allocated quickly by a streamer of ours.
struct Generator {
  Generator(llvm::TargetMachine &machine, bool is_thorough, bool is_plain);
  ~Generator();
  llvm::StringRef run(llvm::Module &module);
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream stream{buffer};
  std::unique_ptr<llvm::MCContext> own_context; // where the passes have none
  unsigned runs = 0;
  llvm::legacy::PassManager passes;
  llvm::TargetMachine &machine;
  // To find out which branches can be short takes longer than to copy a little more.
  bool has_long_branches;
  void set_options();
  llvm::MCContext *context = nullptr; // of the passes
};

class Extract;
struct Optimizer;
struct Statepoints;
struct Library;

struct vk_worker {
  explicit vk_worker(const vk_options &options);
  ~vk_worker();
  vk_options options;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Statepoints> statepoints;
  Generator &generator(bool is_thorough, bool is_plain);
  std::unique_ptr<Generator> generators[2][2];
  // By number; null where it is not loaded.
  std::vector<std::unique_ptr<vk_module>> modules;
  std::unique_ptr<Library> library;
  // While something is compiled, unless nothing is to be inlined.
  const vk_session *session = nullptr;
  std::string error;
  // What the last call handed out.
  std::unique_ptr<IndexBuffers> index;
  std::string buffer;
  std::vector<vk_needed> needed;
  std::deque<std::string> symbols;
  std::vector<vk_inlined> inlined;
  std::vector<vk_pointer> pointers;
  // What was compiled last, until there is time to drop it.
  std::unique_ptr<Extract> finished;
};

// Runs `work`; a failure becomes the worker's error text.
template <typename Work> int guarded(vk_worker *worker, Work work) {
  worker->index.reset();
  Landing landing;
  if (landing.is_active)
    if (int signal = sigsetjmp(landing.buffer, /*savemask=*/0)) { // the landing restores the mask
      worker->error = crash_text(signal);
      return 1;
    }
  try {
    work();
    return 0;
  } catch (const std::exception &failure) {
    worker->error = failure.what();
    return 1;
  }
}

// Loads a module, unless it is loaded.
vk_module &load(vk_worker &worker, uint32_t number, vk_bytes bitcode, vk_bytes name);
// The module's functions and data that belong together because data points to labels.
void find_units(vk_module &module);

// Drops what the module's compile units list beyond what functions refer to.
void trim_debug_info(vk_module &source);

// Adds the time from one call to the next to a counter.
class Clock {
public:
  void lap(uint64_t &counter) {
    auto now = std::chrono::steady_clock::now();
    counter += std::chrono::duration_cast<std::chrono::nanoseconds>(now - last).count();
    last = now;
  }

private:
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
};

#endif
