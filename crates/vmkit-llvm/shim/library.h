// Bodies for inlining, readied once a worker.
#ifndef VMKIT_LIBRARY_H
#define VMKIT_LIBRARY_H

#include "extract.h"

// A function that may be inlined.
struct Candidate {
  // Instructions, as far as they will not be optimized away; 0 while it has not been read.
  unsigned size = 0;
  bool is_refused = false;
  // It is being readied: its own callees call it.
  bool is_busy = false;
  uint64_t hash = 0;
  // The compile at which what was inlined in it was looked at last.
  uint64_t checked = 0;
  std::unique_ptr<Extract> extract;
};

struct Library {
  // Before each compile.
  void begin();
  llvm::DenseMap<const llvm::Function *, std::unique_ptr<Candidate>> candidates;
  // What the current compile may still read and ready.
  unsigned reads = 0, preparations = 0;
  uint64_t compiles = 0;
};

// The body that calls of `declared` run, ready to be inlined at `depth` below the function that is
// compiled; null if there is none, or it is not for inlining.
Extract *find_candidate(Extract &into, const llvm::Function &declared, unsigned depth);
// Notes that the body is part of `into` now, and all that is part of it.
void note_inlined(Extract &into, const Extract &body);

#endif
