// Relocatable ELF objects.
#ifndef VMKIT_ELF_H
#define VMKIT_ELF_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Alignment.h"

#include <vector>

// An object as it is put together. What it refers to, it refers to by its place here. Its names and those
// of its sections are somebody else's.
struct ElfObject {
  struct Relocation {
    uint64_t offset;
    uint32_t symbol, type;
    int64_t addend;
  };
  struct Section {
    llvm::StringRef name;
    uint32_t type, flags, entry_size;
    llvm::Align align;
    llvm::SmallVector<char, 0> bytes;
    std::vector<Relocation> relocations;
  };
  static constexpr uint32_t None = UINT32_MAX;
  struct Symbol {
    llvm::StringRef name;
    uint8_t binding = llvm::ELF::STB_GLOBAL, type = llvm::ELF::STT_NOTYPE, visibility = llvm::ELF::STV_DEFAULT;
    uint32_t section = None; // where it is defined
    uint64_t offset = 0, size = 0;
  };
  // Sections that another object's of the same name take the place of, if they are `comdat`.
  struct Group {
    uint32_t symbol; // whose name it has
    bool is_comdat;
    llvm::SmallVector<uint32_t, 2> sections;
  };

  std::vector<Section> sections;
  std::vector<Symbol> symbols;
  std::vector<Group> groups;

  void clear();
  // For a machine (`EM_`), into an empty file.
  void write(uint16_t machine, llvm::SmallVectorImpl<char> &file) const;
};

#endif
