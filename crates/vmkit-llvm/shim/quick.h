// Functions that the quick instruction selector can do nearly all of.
#ifndef VMKIT_QUICK_H
#define VMKIT_QUICK_H

#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

// LLVM's quick selector (FastISel) goes through a block from its end. Of the first instruction that it
// does not know, the thorough one, which takes several times as long, does all that is above. So such
// instructions get blocks of their own, or become others that are known. For functions that are
// compiled without optimization, and not changed any more.
void prepare_quick_selection(llvm::Module &module);

// Has a call that the block ends with return from the function itself, where all that follows is a
// return: so it can take its caller's place on the stack, as it does in optimized code. Programs count
// on that when they recurse.
void return_at_once(llvm::BasicBlock &block);

// Has predecessors that lead to a block with the same values do so through one block in between, where
// that saves many copies: one for each value and edge. For large functions, whose copies take long to
// be merged.
void join_alike(llvm::Function &function);

// Has addresses at a fixed distance from another one computed in each block that uses them, where they
// become part of the instruction, instead of being kept on the stack from block to block.
void sink_addresses(llvm::Function &function);

// Does a register hold such a value, as it is?
bool is_simple(const llvm::Type &type);

// Makes comparisons of a switch, unless they would be many.
void compare_few(llvm::SwitchInst &instruction);

#endif
