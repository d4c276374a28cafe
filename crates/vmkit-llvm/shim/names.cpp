// The names that a module defines for others, without the module.
#include "worker.h"

#include "llvm/LTO/LTO.h"

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
