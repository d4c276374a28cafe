//! Relocatable ELF objects (gABI chapters 4 and 5) become link graphs.

use std::sync::Arc;

use object::LittleEndian;
use object::elf::{self, FileHeader64, Rela64, SectionHeader64, Sym64};
use object::read::elf::{FileHeader, SectionHeader, SectionTable, Sym, SymbolTable};

use super::{Binding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol};
use crate::error::{Error, Result};
use crate::symbol::{Linkage, Name, ScopeId, SymbolKind, Visibility};
use crate::target::Isa;

type Header = FileHeader64<LittleEndian>;
const LE: LittleEndian = LittleEndian;

/// Sizes above this are damage, not data: no object this crate links needs a section of 64 GiB.
const LARGEST_SECTION: u64 = 1 << 36;

impl LinkGraph {
    /// Reads a relocatable, 64-bit, little-endian ELF object for any of the instruction sets whose code
    /// can be linked.
    ///
    /// # Errors
    ///
    /// Bytes that are not such an object, or that contradict themselves; the text names `name`.
    pub fn from_elf(name: &Arc<str>, scope: ScopeId, data: &[u8]) -> Result<Self> {
        Reader::new(name, data)?.graph(scope)
    }
}

/// Section indices as objects write them, and where each went in the graph.
struct Reader<'a> {
    name: &'a Arc<str>,
    isa: &'static Isa,
    data: &'a [u8],
    sections: SectionTable<'a, Header>,
    symbols: SymbolTable<'a, Header>,
    /// For each ELF section, its index in the graph.
    placed: Vec<Option<usize>>,
}

impl<'a> Reader<'a> {
    fn new(name: &'a Arc<str>, data: &'a [u8]) -> Result<Self> {
        let fail = |error| Error::input(name.clone(), error);
        let header = Header::parse(data).map_err(fail)?;
        if !header.is_little_endian() || header.e_type(LE) != elf::ET_REL {
            return Err(Error::input(name.clone(), "not a relocatable little-endian ELF object"));
        }
        let machine = header.e_machine(LE);
        let isa = Isa::of(machine).ok_or_else(|| {
            Error::input(name.clone(), format!("object for an unknown machine ({machine})"))
        })?;
        let sections = header.sections(LE, data).map_err(fail)?;
        let symbols = sections.symbols(LE, data, elf::SHT_SYMTAB).map_err(fail)?;
        let placed = vec![None; sections.len()];
        Ok(Self { name, isa, data, sections, symbols, placed })
    }

    fn fail(&self, what: impl std::fmt::Display) -> Error {
        Error::input(self.name.clone(), what)
    }

    fn graph(mut self, scope: ScopeId) -> Result<LinkGraph> {
        let mut sections = Vec::with_capacity(8);
        for (index, header) in self.sections.enumerate() {
            if let Some(section) = self.section(header)? {
                self.placed[index.0] = Some(sections.len());
                sections.push(section);
            }
        }
        let groups = self.groups(&mut sections)?;
        let symbols = self.symbols()?;
        self.edges(&mut sections, symbols.len())?;
        Ok(LinkGraph {
            name: self.name.clone(),
            isa: self.isa,
            scope,
            sections,
            symbols,
            entry: None,
            groups,
            dependencies: Vec::new(),
            signatures: Vec::new(),
            notes: Vec::new(),
            compile: None,
        })
    }

    fn section(&self, header: &SectionHeader64<LittleEndian>) -> Result<Option<Section>> {
        let kind = header.sh_type(LE);
        let is_content = matches!(
            kind,
            elf::SHT_PROGBITS
                | elf::SHT_NOBITS
                | elf::SHT_INIT_ARRAY
                | elf::SHT_FINI_ARRAY
                | elf::SHT_PREINIT_ARRAY
                | elf::SHT_NOTE
        ) || Some(kind) == self.isa.unwind_section;
        let flags = header.sh_flags(LE);
        // Compressed debug sections cannot be read before they are relocated: done without.
        if !is_content || flags & u64::from(elf::SHF_COMPRESSED) != 0 {
            return Ok(None);
        }
        let name = self.sections.section_name(LE, header).map_err(|e| self.fail(e))?;
        let name = String::from_utf8_lossy(name).into_owned();
        let kind = section_kind(&name, kind, flags);
        let bytes = header.data(LE, self.data).map_err(|e| self.fail(e))?;
        let (align, size) = (header.sh_addralign(LE).max(1), header.sh_size(LE));
        if !align.is_power_of_two() || size > LARGEST_SECTION || align > LARGEST_SECTION {
            return Err(self.fail(format!("section {name}: size {size:#x}, alignment {align:#x}")));
        }
        Ok(Some(Section {
            name: name.into(),
            kind,
            align,
            size,
            bytes: bytes.to_vec(),
            edges: Vec::new(),
            group: None,
        }))
    }

    fn groups(&self, sections: &mut [Section]) -> Result<Vec<Name>> {
        let mut groups = Vec::new();
        for header in self.sections.iter() {
            let Some((flags, members)) = header.group(LE, self.data).map_err(|e| self.fail(e))?
            else {
                continue;
            };
            if flags & elf::GRP_COMDAT == 0 {
                continue;
            }
            let signature = object::SymbolIndex(header.sh_info(LE) as usize);
            let symbol = self.symbols.symbol(signature).map_err(|e| self.fail(e))?;
            let name = self.symbols.symbol_name(LE, symbol).map_err(|e| self.fail(e))?;
            for member in members {
                let place = self.placed.get(member.get(LE) as usize).copied().flatten();
                if let Some(place) = place {
                    sections[place].group = Some(groups.len());
                }
            }
            groups.push(Name::new(name));
        }
        Ok(groups)
    }

    /// The symbols, under the numbers the object gives them (0 is the null symbol).
    fn symbols(&self) -> Result<Vec<Symbol>> {
        let mut symbols = Vec::with_capacity(self.symbols.len());
        for (index, symbol) in self.symbols.iter().enumerate() {
            symbols.push(self.symbol(object::SymbolIndex(index), symbol)?);
        }
        Ok(symbols)
    }

    fn symbol(&self, index: object::SymbolIndex, symbol: &Sym64<LittleEndian>) -> Result<Symbol> {
        let name = self.symbols.symbol_name(LE, symbol).map_err(|e| self.fail(e))?;
        let section = self.symbols.symbol_section(LE, symbol, index).map_err(|e| self.fail(e))?;
        let value = symbol.st_value(LE);
        let place = match symbol.st_shndx(LE) {
            elf::SHN_ABS => Place::Absolute(value),
            section if section == elf::SHN_COMMON || Some(section) == self.isa.large_common => {
                Place::Common { align: value.max(1) }
            }
            _ => match section.and_then(|s| self.placed.get(s.0).copied().flatten()) {
                Some(index) => Place::Section { index, offset: value },
                None => Place::Undefined,
            },
        };
        let binding = match symbol.st_bind() {
            elf::STB_LOCAL => Binding::Graph,
            elf::STB_WEAK => Binding::Global(Linkage::Weak),
            _ if matches!(place, Place::Common { .. }) => Binding::Global(Linkage::Common),
            _ => Binding::Global(Linkage::Strong),
        };
        let is_mapping = symbol.st_bind() == elf::STB_LOCAL
            && symbol.st_type() == elf::STT_NOTYPE
            && self.isa.mapping_symbols.iter().any(|start| name.starts_with(start.as_bytes()));
        let name = if is_mapping { &[] } else { name };
        Ok(Symbol {
            name: Name::new(name),
            place,
            binding,
            visibility: match symbol.st_visibility() {
                elf::STV_DEFAULT => Visibility::Default,
                elf::STV_PROTECTED => Visibility::Protected,
                _ => Visibility::Hidden,
            },
            kind: match symbol.st_type() {
                elf::STT_FUNC => Some(SymbolKind::Function),
                elf::STT_GNU_IFUNC => Some(SymbolKind::Indirect),
                elf::STT_TLS => Some(SymbolKind::ThreadLocal),
                elf::STT_OBJECT | elf::STT_COMMON => Some(SymbolKind::Data),
                _ => None,
            },
            size: symbol.st_size(LE),
        })
    }

    fn edges(&self, sections: &mut [Section], symbols: usize) -> Result<()> {
        for header in self.sections.iter() {
            let Some((relocations, _)) = header.rela(LE, self.data).map_err(|e| self.fail(e))?
            else {
                match header.sh_type(LE) {
                    elf::SHT_REL => {
                        return Err(self.fail("relocations without addends are not supported"));
                    }
                    elf::SHT_CREL => {
                        return Err(self.fail("relocations in compact form are not supported"));
                    }
                    _ => continue,
                }
            };
            let Some(place) = self.placed.get(header.sh_info(LE) as usize).copied().flatten()
            else {
                continue;
            };
            let section = &mut sections[place];
            section.edges.reserve(relocations.len());
            for relocation in relocations {
                section.edges.push(edge(relocation));
            }
            for edge in &section.edges {
                if edge.target >= symbols {
                    let what = format!("relocation of symbol {} of {symbols}", edge.target);
                    return Err(self.fail(what));
                }
                if !is_inside(self.isa, edge, section.size) {
                    let Section { name, size, .. } = section;
                    let what = format!("relocation at {:#x} of {size:#x} in {name}", edge.offset);
                    return Err(self.fail(what));
                }
            }
        }
        Ok(())
    }
}

fn edge(relocation: &Rela64<LittleEndian>) -> Edge {
    Edge {
        offset: relocation.r_offset.get(LE),
        kind: EdgeKind(relocation.r_type(LE, false)),
        target: relocation.r_sym(LE, false) as usize,
        addend: relocation.r_addend.get(LE),
    }
}

/// Does the edge write to bytes of its section only?
fn is_inside(isa: &Isa, edge: &Edge, section_size: u64) -> bool {
    let written = isa.edge(edge.kind.0).map_or(0, |row| u64::from(row.field.size));
    edge.offset.checked_add(written).is_some_and(|end| end <= section_size)
}

fn section_kind(name: &str, kind: u32, flags: u64) -> SectionKind {
    let has = |flag: u32| flags & u64::from(flag) != 0;
    if !has(elf::SHF_ALLOC) {
        return SectionKind::Unloaded;
    }
    match name {
        ".eh_frame" => return SectionKind::Unwind,
        ".llvm_stackmaps" => return SectionKind::StackMaps,
        _ => {}
    }
    match kind {
        elf::SHT_INIT_ARRAY | elf::SHT_PREINIT_ARRAY => SectionKind::Init(priority(name)),
        elf::SHT_FINI_ARRAY => SectionKind::Fini(priority(name)),
        _ if has(elf::SHF_TLS) => SectionKind::ThreadLocal,
        _ if has(elf::SHF_EXECINSTR) => SectionKind::Code,
        // Written once, by relocation: read-only afterwards.
        _ if name.starts_with(".data.rel.ro") => SectionKind::ReadOnly,
        _ if has(elf::SHF_WRITE) => SectionKind::Data,
        _ => SectionKind::ReadOnly,
    }
}

/// `.init_array.00101` has priority 101; without a number it comes last.
fn priority(name: &str) -> u16 {
    name.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
