#include "streamer.h"
#include "frames.h"

#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDwarf.h"
#include "llvm/MC/MCExpr.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCObjectFileInfo.h"
#include "llvm/MC/MCSectionELF.h"
#include "llvm/MC/MCSymbolELF.h"
#include "llvm/MC/MCValue.h"
#include "llvm/Support/LEB128.h"

#include <cstring>

using namespace llvm;

// Bytes of a number that is not known yet: seven bits each.
static constexpr unsigned LebRoom = 4;

Streamer::Streamer(MCContext &context, std::unique_ptr<MCAsmBackend> backend, std::unique_ptr<MCCodeEmitter> emitter,
                   SmallVectorImpl<char> &file)
    : MCStreamer(context), assembler(context, std::move(backend), std::move(emitter), nullptr),
      backend(assembler.getBackend()), emitter(assembler.getEmitter()), file(file) {
  auto writer = this->backend.createObjectTargetWriter();
  target.reset(static_cast<MCELFObjectTargetWriter *>(writer.release()));
  target->setAssembler(&assembler);
}

// The context knows its symbols still when the next module comes: none is defined.
void Streamer::reset() {
  for (MCSymbol *label : labels) {
    label->setFragment(nullptr);
    label->setOffset(0);
  }
  labels.clear();
  object.clear();
  places.clear();
  section_symbols.clear();
  waiting.clear();
  attributes.clear();
  MCStreamer::reset();
}

void Streamer::refuse(const Twine &what) { getContext().reportError({}, what); }

uint32_t Streamer::place_of(const MCSection &section) {
  auto [known, is_new] = places.try_emplace(&section, object.sections.size());
  if (!is_new) return known->second;
  uint32_t place = known->second;
  auto &elf = static_cast<const MCSectionELF &>(section);
  object.sections.push_back({elf.getName(), elf.getType(), elf.getFlags(), elf.getEntrySize(), Align(1), {}, {}});
  section_symbols.push_back(ElfObject::None);
  if (elf.getFlags() & ELF::SHF_LINK_ORDER) refuse("a section in the order of another: " + elf.getName());
  if (const MCSymbolELF *group = elf.getGroup()) {
    uint32_t name = symbol(*group);
    auto is_its = [&](const ElfObject::Group &each) { return each.symbol == name; };
    auto found = find_if(object.groups, is_its);
    if (found == object.groups.end()) found = object.groups.insert(found, {name, elf.isComdat(), {}});
    found->sections.push_back(place);
  }
  return place;
}

void Streamer::changeSection(MCSection *section, uint32_t subsection) {
  MCStreamer::changeSection(section, subsection);
  here = place_of(*section);
}

void Streamer::initSections(bool, const MCSubtargetInfo &subtarget) {
  const MCObjectFileInfo &info = *getContext().getObjectFileInfo();
  switchSection(info.getTextSection());
  emitCodeAlignment(Align(info.getTextSectionAlignment()), &subtarget, 0);
}

void Streamer::emitLabel(MCSymbol *symbol, SMLoc location) {
  MCStreamer::emitLabel(symbol, location);
  symbol->setOffset(current().bytes.size());
  labels.push_back(symbol);
}

void Streamer::emitInstruction(const MCInst &instruction, const MCSubtargetInfo &subtarget) {
  const MCInst *whole = &instruction;
  MCInst longer;
  while (backend.mayNeedRelaxation(whole->getOpcode(), whole->getOperands(), subtarget)) {
    if (whole != &longer) longer = *whole, whole = &longer;
    backend.relaxInstruction(longer, subtarget);
  }
  SmallVectorImpl<char> &bytes = current().bytes;
  uint64_t begin = bytes.size();
  SmallVector<MCFixup, 4> fixups;
  emitter.encodeInstruction(*whole, bytes, fixups, subtarget);
  for (MCFixup &fixup : fixups) {
    fixup.setOffset(begin + fixup.getOffset());
    waiting.push_back({here, false, fixup});
  }
}

void Streamer::emitBytes(StringRef data) { current().bytes.append(data.begin(), data.end()); }

void Streamer::emitValueImpl(const MCExpr *value, unsigned size, SMLoc) {
  SmallVectorImpl<char> &bytes = current().bytes;
  if (int64_t known; value->evaluateAsAbsolute(known)) return emitIntValue(known, size);
  waiting.push_back({here, false, MCFixup::create(bytes.size(), value, MCFixup::getDataKindForSize(size))});
  bytes.append(size, 0);
}

void Streamer::emitFill(const MCExpr &count, uint64_t value, SMLoc) {
  std::optional<int64_t> known = constant(count);
  if (!known || *known < 0) return refuse("so many bytes as is not known");
  current().bytes.append(*known, static_cast<char>(value));
}

void Streamer::emitULEB128Value(const MCExpr *value) {
  if (std::optional<int64_t> known = constant(*value)) return void(emitULEB128IntValue(*known));
  waiting.push_back({here, true, MCFixup::create(current().bytes.size(), value, FK_NONE)});
  current().bytes.append(LebRoom, 0);
}

void Streamer::emitSLEB128Value(const MCExpr *value) {
  if (std::optional<int64_t> known = constant(*value)) return void(emitSLEB128IntValue(*known));
  refuse("a signed number that is not known yet");
}

void Streamer::emitValueToAlignment(Align align, int64_t fill, uint8_t, unsigned most) {
  ElfObject::Section &section = current();
  section.align = std::max(section.align, align);
  uint64_t gap = offsetToAlignment(section.bytes.size(), align);
  if (!most || gap <= most) section.bytes.append(gap, static_cast<char>(fill));
}

void Streamer::emitCodeAlignment(Align align, const MCSubtargetInfo *subtarget, unsigned most) {
  ElfObject::Section &section = current();
  section.align = std::max(section.align, align);
  uint64_t gap = offsetToAlignment(section.bytes.size(), align);
  if (most && gap > most) return;
  raw_svector_ostream stream(section.bytes);
  backend.writeNopData(stream, gap, subtarget);
}

bool Streamer::emitSymbolAttribute(MCSymbol *symbol, MCSymbolAttr attribute) {
  Attributes &own = attributes[symbol];
  switch (attribute) {
  case MCSA_Global: own.binding = ELF::STB_GLOBAL; break;
  case MCSA_Weak:
  case MCSA_WeakReference: own.binding = ELF::STB_WEAK; break;
  case MCSA_Local: own.binding = ELF::STB_LOCAL; break;
  case MCSA_Hidden: own.visibility = ELF::STV_HIDDEN; break;
  case MCSA_Protected: own.visibility = ELF::STV_PROTECTED; break;
  case MCSA_Internal: own.visibility = ELF::STV_INTERNAL; break;
  case MCSA_ELF_TypeFunction: own.type = ELF::STT_FUNC; break;
  case MCSA_ELF_TypeObject: own.type = ELF::STT_OBJECT; break;
  case MCSA_ELF_TypeTLS: own.type = ELF::STT_TLS; break;
  case MCSA_ELF_TypeIndFunction: own.type = ELF::STT_GNU_IFUNC; break;
  case MCSA_ELF_TypeNoType:
  case MCSA_ELF_TypeCommon:
  case MCSA_ELF_TypeGnuUniqueObject:
  case MCSA_Memtag: refuse("an attribute of " + symbol->getName()); break;
  // What there is in other formats only.
  default: return false;
  }
  return true;
}

void Streamer::emitELFSize(MCSymbol *symbol, const MCExpr *value) { attributes[symbol].size = value; }

void Streamer::emitCommonSymbol(MCSymbol *symbol, uint64_t, Align) { refuse("a common symbol: " + symbol->getName()); }

void Streamer::emitAssignment(MCSymbol *symbol, const MCExpr *) { refuse("an alias: " + symbol->getName()); }

MCSymbol *Streamer::emitCFILabel() {
  MCSymbol *label = getContext().createTempSymbol();
  emitLabel(label, {});
  return label;
}

void Streamer::emitCFIStartProcImpl(MCDwarfFrameInfo &frame) { frame.Begin = emitCFILabel(); }

void Streamer::emitCFIEndProcImpl(MCDwarfFrameInfo &frame) { frame.End = emitCFILabel(); }

// What is known of it now.
std::optional<int64_t> Streamer::constant(const MCExpr &expression) {
  MCValue value;
  return expression.evaluateAsRelocatable(value, nullptr) ? constant(value) : std::nullopt;
}

std::optional<int64_t> Streamer::constant(const MCValue &value) {
  const MCSymbol *plus = value.getAddSym(), *minus = value.getSubSym();
  if (!plus && !minus) return value.getConstant();
  if (!plus || !minus || !plus->isInSection() || !minus->isInSection() || &plus->getSection() != &minus->getSection())
    return std::nullopt;
  return value.getConstant() + plus->getOffset() - minus->getOffset();
}

// Its place in the object, where it stands from now on.
uint32_t Streamer::symbol(const MCSymbol &symbol) {
  uint32_t &place = attributes[&symbol].place;
  if (place == ElfObject::None) {
    place = object.symbols.size();
    object.symbols.push_back({symbol.getName()});
  }
  return place;
}

uint32_t Streamer::symbol_of_section(uint32_t section) {
  uint32_t &place = section_symbols[section];
  if (place == ElfObject::None) {
    place = object.symbols.size();
    object.symbols.push_back({"", ELF::STB_LOCAL, ELF::STT_SECTION, ELF::STV_DEFAULT, section});
  }
  return place;
}

// Labels have no names in the object.
void Streamer::relocate(uint32_t section, uint64_t offset, const MCSymbol &to, uint32_t type, int64_t addend) {
  bool is_label = to.isTemporary() && to.isInSection();
  uint32_t place = is_label ? symbol_of_section(place_of(to.getSection())) : symbol(to);
  if (is_label) addend += to.getOffset();
  object.sections[section].relocations.push_back({offset, place, type, addend});
}

void Streamer::patch(const Waiting &place, int64_t value) {
  unsigned size = backend.getFixupKindInfo(place.fixup.getKind()).TargetSize / 8;
  if (size < sizeof value && !isIntN(8 * size, value)) return refuse("a label that is too far away");
  memcpy(object.sections[place.section].bytes.data() + place.fixup.getOffset(), &value, size);
}

void Streamer::resolve(const Waiting &place) {
  const MCFixup &fixup = place.fixup;
  uint64_t offset = fixup.getOffset();
  MCValue value;
  if (!fixup.getValue()->evaluateAsRelocatable(value, nullptr)) return refuse("what is no address");
  std::optional<int64_t> known = fixup.isPCRel() ? std::nullopt : constant(value);
  if (place.is_leb) {
    if (!known || !isUIntN(7 * LebRoom, *known)) return refuse("a number that only the linker knows");
    char *to = object.sections[place.section].bytes.data() + offset;
    encodeULEB128(*known, reinterpret_cast<uint8_t *>(to), LebRoom);
    return;
  }
  if (known) return patch(place, *known);
  if (!value.getAddSym()) return refuse("an address that is no symbol's");
  const MCSymbol &to = *value.getAddSym();
  bool is_relative = fixup.isPCRel();
  int64_t addend = value.getConstant();
  // Instructions count from behind the number.
  if (is_relative) addend -= backend.getFixupKindInfo(fixup.getKind()).TargetSize / 8;
  if (const MCSymbol *from = value.getSubSym()) {
    if (is_relative || !from->isInSection() || place_of(from->getSection()) != place.section)
      return refuse("a distance from elsewhere");
    addend += int64_t(offset) - int64_t(from->getOffset());
    is_relative = true;
  }
  bool is_near = to.isTemporary() && to.isInSection() && place_of(to.getSection()) == place.section;
  if (is_near && is_relative && !value.getSpecifier())
    return patch(place, int64_t(to.getOffset()) + addend - int64_t(offset));
  // The target finds out which symbols are thread-local; what it found in another module does not count.
  auto &elf = static_cast<const MCSymbolELF &>(to);
  elf.setType(ELF::STT_NOTYPE);
  unsigned type = target->getRelocType(fixup, value, is_relative);
  if (elf.getType() == ELF::STT_TLS) attributes[&to].type = ELF::STT_TLS;
  relocate(place.section, offset, to, type, addend);
}

void Streamer::add_frames() {
  if (getDwarfFrameInfos().empty()) return;
  uint32_t place = place_of(*getContext().getObjectFileInfo()->getEHFrameSection());
  object.sections[place].align = Align(8);
  SmallVector<char, 0> bytes;
  append_frames(
      getDwarfFrameInfos(), getContext(), bytes,
      [&](uint64_t offset, const MCSymbol &symbol) { relocate(place, offset, symbol, ELF::R_X86_64_PC32, 0); },
      [&](const char *why) { refuse(why); });
  object.sections[place].bytes = std::move(bytes);
}

void Streamer::finishImpl() {
  add_frames();
  for (const Waiting &place : waiting) resolve(place);
  for (const MCSymbol *label : labels)
    // What a section begins with is in the context, for other formats.
    if (!label->isTemporary() && label != label->getSection().getBeginSymbol()) symbol(*label);
  for (const auto &[label, own] : attributes) {
    if (own.place == ElfObject::None) continue;
    ElfObject::Symbol &known = object.symbols[own.place];
    known.binding = own.binding.value_or(label->isInSection() ? ELF::STB_LOCAL : ELF::STB_GLOBAL);
    known.type = own.type;
    known.visibility = own.visibility;
    if (label->isInSection()) {
      known.section = place_of(label->getSection());
      known.offset = label->getOffset();
    }
    if (!own.size) continue;
    std::optional<int64_t> size = constant(*own.size);
    if (!size) return refuse("a symbol whose size is not known: " + label->getName());
    known.size = *size;
  }
  object.write(target->getEMachine(), file);
}
