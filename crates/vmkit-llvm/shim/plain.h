// Modules that most of LLVM's passes have nothing to do for.
#ifndef VMKIT_PLAIN_H
#define VMKIT_PLAIN_H

#include "llvm/IR/Module.h"

// Is there nothing in the module but what compilers of plain languages for plain processors make of
// most functions: no vectors, atomics, assembly, garbage collectors, instrumentation, debug information,
// and the like? For machines that have no more than functions say. If in doubt, it is not plain.
bool is_plain(const llvm::Module &module);

// Does a pass, known by its argument, do nothing for plain modules? Without optimization, half of the
// passes are such; running one costs as much as selecting an instruction.
bool is_idle_on_plain(llvm::StringRef pass);

#endif
