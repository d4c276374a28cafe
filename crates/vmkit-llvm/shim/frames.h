// How frames are unwound, as the sections for it say.
#ifndef VMKIT_FRAMES_H
#define VMKIT_FRAMES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace llvm {
class MCContext;
class MCSymbol;
struct MCDwarfFrameInfo;
} // namespace llvm

// Appends what `.eh_frame` says of functions whose labels have their offsets. `point` is told where four
// bytes are to hold the distance to a symbol; `refuse`, why something cannot be said.
void append_frames(llvm::ArrayRef<llvm::MCDwarfFrameInfo> frames, llvm::MCContext &context,
                   llvm::SmallVectorImpl<char> &bytes,
                   llvm::function_ref<void(uint64_t offset, const llvm::MCSymbol &symbol)> point,
                   llvm::function_ref<void(const char *why)> refuse);

#endif
