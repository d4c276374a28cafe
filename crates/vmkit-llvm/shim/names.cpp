// The names that a module defines for others, and those that code may need, without the module.
#include "worker.h"

#include "llvm/LTO/LTO.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

extern "C" int vk_defined_names(vk_worker *worker, vk_bytes bitcode, vk_bytes name, vk_bytes *names) {
  return guarded(worker, [&] {
    worker->buffer.clear();
    auto input = check(lto::InputFile::create(MemoryBufferRef(ref(bitcode), ref(name))));
    for (const lto::InputFile::Symbol &symbol : input->symbols())
      if (!symbol.isUndefined()) worker->buffer.append(symbol.getName().str()).push_back('\0');
    *names = bytes(worker->buffer);
  });
}

extern "C" vk_bytes vk_runtime_functions(void) {
  static const std::string names = [] {
    std::string all;
    for (const char *name : lto::LTO::getRuntimeLibcallSymbols(Triple(sys::getDefaultTargetTriple())))
      all.append(name).push_back('\0');
    return all;
  }();
  return bytes(names);
}
