// Fewer copies where several paths meet.
#ifndef VMKIT_COPIES_H
#define VMKIT_COPIES_H

#include "llvm/Pass.h"

// A pass for the quick register allocator, which would copy what a phi becomes twice, from one place on
// the stack to the next: where a predecessor ends and where the block begins. Where nobody wants the old
// value any more when the new one is set, one register does for both. To be run when phis are gone,
// before registers are allocated.
llvm::Pass *join_copies();

#endif
