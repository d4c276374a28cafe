// What this processor has, as the compilers' runtime libraries say it.
#include "shim.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace llvm;

namespace {

// The features, and the levels of the architecture, that have a place in the words.
constexpr const char *Features[] = {
#define X86_FEATURE_COMPAT(ENUM, NAME, PRIORITY, BIT) NAME,
#include "llvm/TargetParser/X86TargetParser.def"
};
constexpr const char *Levels[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

bool has_level(const StringMap<bool> &host, StringRef level) {
  SmallVector<StringRef, 64> needed;
  X86::getFeaturesForCPU(level, needed);
  // Of what LLVM counts to every level, "x87" and "nopl" among them, it does not ask the processor.
  return all_of(needed, [&](StringRef name) { return host.lookup(name) || !host.contains(name); });
}

} // namespace

void vk_processor_features(uint32_t words[3]) {
  StringMap<bool> host = sys::getHostCPUFeatures();
  SmallVector<StringRef, 128> present;
  for (StringRef name : Features)
    if (host.lookup(name)) present.push_back(name);
  for (StringRef name : Levels)
    if (has_level(host, name)) present.push_back(name);
  // The first word is that of `__cpu_model`.
  auto mask = X86::getCpuSupportsMask(present);
  std::copy(mask.begin() + 1, mask.end(), words);
}
