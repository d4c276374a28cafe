// Objects of plain functions, written as their instructions come.
#ifndef VMKIT_STREAMER_H
#define VMKIT_STREAMER_H

#include "elf.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/MC/MCAsmBackend.h"
#include "llvm/MC/MCAssembler.h"
#include "llvm/MC/MCCodeEmitter.h"
#include "llvm/MC/MCELFObjectWriter.h"
#include "llvm/MC/MCFixup.h"
#include "llvm/MC/MCStreamer.h"

#include <memory>
#include <optional>
#include <vector>

namespace llvm {
class MCSectionELF;
class MCValue;
} // namespace llvm

// Takes what LLVM prints of a module, for x86-64, and writes an object. LLVM's own streamer keeps
// instructions in fragments, since it finds out in the end how long branches are, and forgets its context,
// with the hundred sections that it might need, with each object. Here branches have their full length, so
// that an instruction is final when it comes, and the context stays. What only assembly, debug information
// and other formats want is an error.
class Streamer : public llvm::MCStreamer {
public:
  // Writes into an empty `file`.
  Streamer(llvm::MCContext &context, std::unique_ptr<llvm::MCAsmBackend> backend,
           std::unique_ptr<llvm::MCCodeEmitter> emitter, llvm::SmallVectorImpl<char> &file);

  void reset() override;
  void initSections(bool has_plain_stack, const llvm::MCSubtargetInfo &subtarget) override;
  void emitLabel(llvm::MCSymbol *symbol, llvm::SMLoc location) override;
  void emitInstruction(const llvm::MCInst &instruction, const llvm::MCSubtargetInfo &subtarget) override;
  void emitBytes(llvm::StringRef data) override;
  void emitValueImpl(const llvm::MCExpr *value, unsigned size, llvm::SMLoc location) override;
  void emitFill(const llvm::MCExpr &count, uint64_t value, llvm::SMLoc location) override;
  void emitULEB128Value(const llvm::MCExpr *value) override;
  void emitSLEB128Value(const llvm::MCExpr *value) override;
  void emitValueToAlignment(llvm::Align align, int64_t fill, uint8_t size, unsigned most) override;
  void emitCodeAlignment(llvm::Align align, const llvm::MCSubtargetInfo *subtarget, unsigned most) override;
  bool emitSymbolAttribute(llvm::MCSymbol *symbol, llvm::MCSymbolAttr attribute) override;
  void emitELFSize(llvm::MCSymbol *symbol, const llvm::MCExpr *value) override;
  void emitCommonSymbol(llvm::MCSymbol *symbol, uint64_t size, llvm::Align align) override;
  void emitAssignment(llvm::MCSymbol *symbol, const llvm::MCExpr *value) override;
  void emitFileDirective(llvm::StringRef) override {}
  llvm::MCSymbol *emitCFILabel() override;
  void finishImpl() override;

protected:
  void changeSection(llvm::MCSection *section, uint32_t subsection) override;
  void emitCFIStartProcImpl(llvm::MCDwarfFrameInfo &frame) override;
  void emitCFIEndProcImpl(llvm::MCDwarfFrameInfo &frame) override;

private:
  // A place that waits for a symbol's offset.
  struct Waiting {
    uint32_t section;
    bool is_leb; // with room for any
    llvm::MCFixup fixup;
  };
  struct Attributes {
    std::optional<uint8_t> binding;
    uint8_t type = llvm::ELF::STT_NOTYPE, visibility = llvm::ELF::STV_DEFAULT;
    const llvm::MCExpr *size = nullptr;
    uint32_t place = ElfObject::None; // in the object
  };

  void refuse(const llvm::Twine &what);
  uint32_t place_of(const llvm::MCSection &section);
  ElfObject::Section &current() { return object.sections[here]; }
  std::optional<int64_t> constant(const llvm::MCExpr &value);
  std::optional<int64_t> constant(const llvm::MCValue &value);
  void resolve(const Waiting &waiting);
  void patch(const Waiting &waiting, int64_t value);
  uint32_t symbol(const llvm::MCSymbol &symbol);
  uint32_t symbol_of_section(uint32_t section);
  void relocate(uint32_t section, uint64_t offset, const llvm::MCSymbol &symbol, uint32_t type, int64_t addend);
  void add_frames();

  // Where the target's parts find the context; nothing is assembled by it.
  llvm::MCAssembler assembler;
  llvm::MCAsmBackend &backend;
  llvm::MCCodeEmitter &emitter;
  std::unique_ptr<llvm::MCELFObjectTargetWriter> target;
  llvm::SmallVectorImpl<char> &file;
  ElfObject object;
  llvm::DenseMap<const llvm::MCSection *, uint32_t> places;
  std::vector<uint32_t> section_symbols; // by section
  uint32_t here = 0;
  std::vector<Waiting> waiting;
  llvm::DenseMap<const llvm::MCSymbol *, Attributes> attributes;
  std::vector<llvm::MCSymbol *> labels;
};

#endif
