// Frames that do not grow with the function.
#ifndef VMKIT_SLOTS_H
#define VMKIT_SLOTS_H

#include "llvm/Pass.h"

// A pass for the quick register allocator, which gives each value that it spills a slot of its own
// for the whole function: slots that never hold anything at the same time become one. To be run when
// registers are allocated, before the frame is laid out.
llvm::Pass *share_slots();

#endif
