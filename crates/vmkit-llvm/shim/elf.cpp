#include "elf.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>
#include <string>

using namespace llvm;

namespace {

template <typename Value> void append(SmallVectorImpl<char> &bytes, const Value &value) {
  const char *begin = reinterpret_cast<const char *>(&value);
  bytes.append(begin, begin + sizeof value);
}

void align_to(SmallVectorImpl<char> &bytes, Align align) {
  bytes.append(offsetToAlignment(bytes.size(), align), 0);
}

// Names, each with a NUL behind it.
class Strings {
public:
  uint32_t add(StringRef name) {
    uint32_t at = bytes.size();
    bytes.append(name.begin(), name.end());
    bytes.push_back('\0');
    return at;
  }
  std::string bytes = std::string(1, '\0');
};

ELF::Elf64_Shdr header(uint32_t type, uint64_t offset, Align align) {
  ELF::Elf64_Shdr header = {};
  header.sh_type = type;
  header.sh_offset = offset;
  header.sh_addralign = align.value();
  return header;
}

} // namespace

void ElfObject::clear() {
  sections.clear();
  symbols.clear();
  groups.clear();
}

void ElfObject::write(uint16_t machine, SmallVectorImpl<char> &file) const {
  Strings strings;
  // Local symbols come first.
  std::vector<uint32_t> order, numbers(symbols.size());
  for (bool is_local : {true, false})
    for (uint32_t place = 0; place < symbols.size(); ++place)
      if ((symbols[place].binding == ELF::STB_LOCAL) == is_local) {
        order.push_back(place);
        numbers[place] = order.size(); // the one without a name is number 0
      }
  // The sections, then their relocations, the groups, the symbols, the names.
  uint32_t with_relocations = count_if(sections, [](const Section &each) { return !each.relocations.empty(); });
  uint32_t symbols_number = 1 + sections.size() + with_relocations + groups.size();
  std::vector<ELF::Elf64_Shdr> headers(1);
  file.resize(sizeof(ELF::Elf64_Ehdr));
  for (const Section &section : sections) {
    align_to(file, section.align);
    ELF::Elf64_Shdr &each = headers.emplace_back(header(section.type, file.size(), section.align));
    each.sh_name = strings.add(section.name);
    each.sh_flags = section.flags;
    each.sh_size = section.bytes.size();
    each.sh_entsize = section.entry_size;
    if (section.type != ELF::SHT_NOBITS) file.append(section.bytes.begin(), section.bytes.end());
  }
  align_to(file, Align(8));
  std::vector<uint32_t> relocations_numbers(sections.size());
  for (uint32_t place = 0; place < sections.size(); ++place) {
    const Section &section = sections[place];
    if (section.relocations.empty()) continue;
    relocations_numbers[place] = headers.size();
    ELF::Elf64_Shdr &each = headers.emplace_back(header(ELF::SHT_RELA, file.size(), Align(8)));
    each.sh_flags = ELF::SHF_INFO_LINK | (section.flags & ELF::SHF_GROUP);
    each.sh_size = section.relocations.size() * sizeof(ELF::Elf64_Rela);
    each.sh_link = symbols_number;
    each.sh_info = 1 + place;
    each.sh_entsize = sizeof(ELF::Elf64_Rela);
    for (const Relocation &relocation : section.relocations) {
      ELF::Elf64_Rela entry = {relocation.offset, 0, relocation.addend};
      entry.setSymbolAndType(numbers[relocation.symbol], relocation.type);
      append(file, entry);
    }
  }
  for (const Group &group : groups) {
    ELF::Elf64_Shdr &each = headers.emplace_back(header(ELF::SHT_GROUP, file.size(), Align(4)));
    each.sh_link = symbols_number;
    each.sh_info = numbers[group.symbol];
    each.sh_entsize = sizeof(ELF::Elf32_Word);
    append(file, ELF::Elf32_Word(group.is_comdat ? uint32_t(ELF::GRP_COMDAT) : 0));
    for (uint32_t place : group.sections) {
      append(file, ELF::Elf32_Word(1 + place));
      if (relocations_numbers[place]) append(file, ELF::Elf32_Word(relocations_numbers[place]));
    }
    each.sh_size = file.size() - each.sh_offset;
  }
  align_to(file, Align(8));
  ELF::Elf64_Shdr &table = headers.emplace_back(header(ELF::SHT_SYMTAB, file.size(), Align(8)));
  table.sh_size = (1 + symbols.size()) * sizeof(ELF::Elf64_Sym);
  table.sh_link = symbols_number + 1;
  table.sh_info = 1 + count_if(symbols, [](const Symbol &symbol) { return symbol.binding == ELF::STB_LOCAL; });
  table.sh_entsize = sizeof(ELF::Elf64_Sym);
  append(file, ELF::Elf64_Sym());
  for (uint32_t place : order) {
    const Symbol &symbol = symbols[place];
    ELF::Elf64_Sym entry = {};
    entry.st_name = symbol.type == ELF::STT_SECTION ? 0 : strings.add(symbol.name);
    entry.setBindingAndType(symbol.binding, symbol.type);
    entry.st_other = symbol.visibility;
    if (symbol.section != None) entry.st_shndx = 1 + symbol.section;
    entry.st_value = symbol.offset;
    entry.st_size = symbol.size;
    append(file, entry);
  }
  ELF::Elf64_Shdr &names = headers.emplace_back(header(ELF::SHT_STRTAB, file.size(), Align(1)));
  names.sh_size = strings.bytes.size();
  file.append(strings.bytes.begin(), strings.bytes.end());
  align_to(file, Align(8));
  ELF::Elf64_Ehdr first = {};
  memcpy(first.e_ident, ELF::ElfMagic, strlen(ELF::ElfMagic));
  first.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  first.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  first.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  first.e_type = ELF::ET_REL;
  first.e_machine = machine;
  first.e_version = ELF::EV_CURRENT;
  first.e_shoff = file.size();
  first.e_ehsize = sizeof first;
  first.e_shentsize = sizeof(ELF::Elf64_Shdr);
  first.e_shnum = headers.size();
  first.e_shstrndx = headers.size() - 1;
  memcpy(file.data(), &first, sizeof first);
  for (const ELF::Elf64_Shdr &each : headers) append(file, each);
}
