// Coroutines in their final form.
#ifndef VMKIT_COROUTINES_H
#define VMKIT_COROUTINES_H

namespace llvm {
class Module;
class TargetMachine;
}

// Splits the coroutines of a module at the points where they are suspended, if it has any left.
void split_coroutines(llvm::Module &module, llvm::TargetMachine &machine);

#endif
