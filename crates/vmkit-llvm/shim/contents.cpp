// What lies at a module's definitions, as the object file of the module would have it.
#include "worker.h"

#include "llvm/Target/TargetLoweringObjectFile.h"

using namespace llvm;

static uint8_t content(const GlobalValue &value, const TargetMachine &machine) {
  // The assembler's own names, and lists for the linker.
  if (value.hasPrivateLinkage() || value.getName().starts_with("__local.L") ||
      value.getName().starts_with("llvm."))
    return VK_UNLISTED;
  const GlobalObject *object = value.getAliaseeObject();
  if (!object || object->isDeclarationForLinker()) return VK_CONTENT_DATA;
  if (object->getSection() == "llvm.metadata") return VK_UNLISTED;
  SectionKind kind = TargetLoweringObjectFile::getKindForGlobal(object, machine);
  if (kind.isText()) return VK_CONTENT_CODE;
  if (kind.isReadOnly()) return VK_CONTENT_CONSTANT;
  return kind.isBSS() || kind.isThreadBSS() || kind.isCommon() ? VK_CONTENT_ZEROS : VK_CONTENT_DATA;
}

extern "C" int vk_read_contents(vk_worker *worker, vk_module *module, vk_bytes *contents) {
  return guarded(worker, [&] {
    worker->buffer.clear();
    for (const GlobalValue *value : module->values)
      worker->buffer.push_back(static_cast<char>(content(*value, *worker->machine)));
    *contents = bytes(worker->buffer);
  });
}
