#include "frames.h"

#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDwarf.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSymbol.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/LEB128.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <map>

using namespace llvm;

namespace {

// Offsets from a frame's end are counted in these.
constexpr int64_t Scale = -8;
// Registers up to here are part of the code of a rule.
constexpr int64_t MostShort = 63;
// Distances of four bytes, of code that lies where all of it is within reach.
constexpr uint8_t Distance = dwarf::DW_EH_PE_pcrel | dwarf::DW_EH_PE_sdata4;

class Frames {
public:
  Frames(MCContext &context, SmallVectorImpl<char> &bytes, function_ref<void(uint64_t, const MCSymbol &)> point,
         function_ref<void(const char *)> refuse)
      : context(context), bytes(bytes), point(point), refuse(refuse) {}

  void add(const MCDwarfFrameInfo &frame) {
    bool is_pointed = !frame.Personality || frame.PersonalityEncoding == (Distance | dwarf::DW_EH_PE_indirect);
    bool is_near = !frame.Lsda || frame.LsdaEncoding == Distance;
    if (frame.IsSignalFrame || frame.IsSimple || frame.RAReg != Unset || !is_pointed || !is_near)
      return refuse("a frame of another kind");
    auto [known, is_new] = commons.try_emplace({frame.Personality, frame.Lsda != nullptr}, bytes.size());
    if (is_new) add_common(frame);
    uint64_t begin = begin_record();
    number(uint32_t(bytes.size() - known->second));
    distance(*frame.Begin);
    number(uint32_t(frame.End->getOffset() - frame.Begin->getOffset()));
    leb(frame.Lsda ? sizeof(uint32_t) : 0);
    if (frame.Lsda) distance(*frame.Lsda);
    size = first_size;
    const MCSymbol *at = frame.Begin;
    for (const MCCFIInstruction &rule : frame.Instructions) {
      if (const MCSymbol *label = rule.getLabel(); label && label->getOffset() != at->getOffset()) {
        MCDwarfFrameEmitter::encodeAdvanceLoc(context, label->getOffset() - at->getOffset(), bytes);
        at = label;
      }
      add_rule(rule);
    }
    end_record(begin);
  }

private:
  static constexpr unsigned Unset = INT_MAX; // LLVM's, where the usual register holds the address to return to

  // What the frames of a language have in common.
  void add_common(const MCDwarfFrameInfo &frame) {
    uint64_t begin = begin_record();
    number(uint32_t(0));
    bytes.push_back(1); // the version
    StringRef parts = frame.Personality ? frame.Lsda ? "zPLR" : "zPR" : frame.Lsda ? "zLR" : "zR";
    bytes.append(parts.begin(), parts.end());
    bytes.push_back('\0');
    leb(1);
    signed_leb(Scale);
    const MCRegisterInfo &registers = *context.getRegisterInfo();
    leb(registers.getDwarfRegNum(registers.getRARegister(), /*isEH=*/true));
    leb((frame.Personality ? 1 + sizeof(uint32_t) : 0) + (frame.Lsda ? 1 : 0) + 1);
    if (frame.Personality) {
      bytes.push_back(static_cast<char>(frame.PersonalityEncoding));
      distance(*frame.Personality);
    }
    if (frame.Lsda) bytes.push_back(Distance);
    bytes.push_back(Distance);
    for (const MCCFIInstruction &rule : context.getAsmInfo()->getInitialFrameState()) add_rule(rule);
    first_size = size;
    end_record(begin);
  }

  void add_rule(const MCCFIInstruction &rule) {
    switch (rule.getOperation()) {
    case MCCFIInstruction::OpDefCfa:
      size = rule.getOffset();
      code(dwarf::DW_CFA_def_cfa);
      leb(rule.getRegister());
      return leb(size);
    case MCCFIInstruction::OpDefCfaOffset:
      size = rule.getOffset();
      code(dwarf::DW_CFA_def_cfa_offset);
      return leb(size);
    case MCCFIInstruction::OpAdjustCfaOffset:
      size += rule.getOffset();
      code(dwarf::DW_CFA_def_cfa_offset);
      return leb(size);
    case MCCFIInstruction::OpDefCfaRegister:
      code(dwarf::DW_CFA_def_cfa_register);
      return leb(rule.getRegister());
    case MCCFIInstruction::OpOffset:
      if (rule.getRegister() > MostShort || rule.getOffset() > 0 || rule.getOffset() % Scale) break;
      code(dwarf::DW_CFA_offset | rule.getRegister());
      return leb(rule.getOffset() / Scale);
    case MCCFIInstruction::OpRestore:
      if (rule.getRegister() > MostShort) break;
      return code(dwarf::DW_CFA_restore | rule.getRegister());
    case MCCFIInstruction::OpRememberState: return code(dwarf::DW_CFA_remember_state);
    case MCCFIInstruction::OpRestoreState: return code(dwarf::DW_CFA_restore_state);
    case MCCFIInstruction::OpGnuArgsSize:
      code(dwarf::DW_CFA_GNU_args_size);
      return leb(rule.getOffset());
    case MCCFIInstruction::OpEscape: bytes.append(rule.getValues().begin(), rule.getValues().end()); return;
    default: break;
    }
    refuse("a rule of another kind to unwind by");
  }

  uint64_t begin_record() {
    number(uint32_t(0)); // its length, later
    return bytes.size();
  }
  void end_record(uint64_t begin) {
    bytes.append(offsetToAlignment(bytes.size(), Align(8)), dwarf::DW_CFA_nop);
    uint32_t length = bytes.size() - begin;
    memcpy(bytes.data() + begin - sizeof length, &length, sizeof length);
  }
  void code(uint8_t value) { bytes.push_back(static_cast<char>(value)); }
  void number(uint32_t value) {
    const char *begin = reinterpret_cast<const char *>(&value);
    bytes.append(begin, begin + sizeof value);
  }
  void leb(uint64_t value) {
    raw_svector_ostream stream(bytes);
    encodeULEB128(value, stream);
  }
  void signed_leb(int64_t value) {
    raw_svector_ostream stream(bytes);
    encodeSLEB128(value, stream);
  }
  void distance(const MCSymbol &symbol) {
    point(bytes.size(), symbol);
    number(0);
  }

  MCContext &context;
  SmallVectorImpl<char> &bytes;
  function_ref<void(uint64_t, const MCSymbol &)> point;
  function_ref<void(const char *)> refuse;
  // Of the frame: where its function begins, and so far.
  int64_t first_size = 0, size = 0;
  // Where they begin.
  std::map<std::pair<const MCSymbol *, bool>, uint64_t> commons;
};

} // namespace

void append_frames(ArrayRef<MCDwarfFrameInfo> frames, MCContext &context, SmallVectorImpl<char> &bytes,
                   function_ref<void(uint64_t, const MCSymbol &)> point, function_ref<void(const char *)> refuse) {
  Frames all(context, bytes, point, refuse);
  for (const MCDwarfFrameInfo &frame : frames) all.add(frame);
}
