//! ELF images of linked graphs, for debuggers: what is where, and the debug information by final
//! addresses. Code and data stay where they are; the image only describes them.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use object::Endianness;
use object::elf;
use object::write::StringId;
use object::write::elf::{FileHeader, SectionHeader, SectionIndex, Sym, Writer};

use crate::graph::{Binding, LinkGraph, Place, Section, SectionKind, Symbol};
use crate::listener::Linked;
use crate::target::Isa;

/// A section of the image.
struct Part<'a> {
    /// Its number in the graph.
    number: usize,
    section: &'a Section,
    address: u64,
    /// Its bytes in the image; none if only memory has them.
    bytes: Option<Cow<'a, [u8]>>,
    name: StringId,
    index: SectionIndex,
    /// Where its bytes are in the image.
    offset: usize,
}

/// The image of a linked graph.
pub(super) fn image(event: &Linked<'_>) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(Endianness::Little, true, &mut buffer);
    writer.reserve_null_section_index();
    let mut parts = parts(event, &mut writer);
    let symbols = symbols(event.graph, &parts);
    let names: Vec<_> =
        symbols.iter().map(|&symbol| writer.add_string(symbol.name.bytes())).collect();
    writer.reserve_symtab_section_index();
    writer.reserve_strtab_section_index();
    writer.reserve_shstrtab_section_index();
    for &symbol in &symbols {
        writer.reserve_symbol_index(part_of(symbol, &parts).map(|part| part.index));
    }
    writer.reserve_file_header();
    for part in &mut parts {
        if let Some(bytes) = &part.bytes {
            part.offset = writer.reserve(bytes.len(), part.section.align as usize);
        }
    }
    writer.reserve_symtab();
    writer.reserve_strtab();
    writer.reserve_shstrtab();
    writer.reserve_section_headers();
    write(&mut writer, event.graph.isa, &parts, &symbols, &names);
    buffer
}

/// Sections that were loaded, and debug sections.
fn parts<'a>(event: &Linked<'a>, writer: &mut Writer<'a>) -> Vec<Part<'a>> {
    let numbered = event.graph.sections.iter().enumerate();
    let kept = numbered.filter_map(|(number, section)| {
        let bytes = match event.sections[number] {
            Some(loaded) if section.kind == SectionKind::Unwind => Some(loaded.bytes.into()),
            Some(_) => None,
            None if section.name.starts_with(".debug_") => Some(event.relocated(number).into()),
            None => return None,
        };
        let address = event.sections[number].map_or(0, |loaded| loaded.address.0);
        Some((number, section, address, bytes))
    });
    kept.map(|(number, section, address, bytes)| Part {
        number,
        section,
        address,
        bytes,
        name: writer.add_section_name(section.name.as_bytes()),
        index: writer.reserve_section_index(),
        offset: 0,
    })
    .collect()
}

/// The named symbols in the image's sections, those of the graph alone first, as ELF wants it.
fn symbols<'a>(graph: &'a LinkGraph, parts: &[Part<'_>]) -> Vec<&'a Symbol> {
    let is_kept =
        |symbol: &&Symbol| !symbol.name.bytes().is_empty() && part_of(symbol, parts).is_some();
    let mut symbols: Vec<_> = graph.symbols.iter().filter(is_kept).collect();
    symbols.sort_by_key(|symbol| !is_local(symbol));
    symbols
}

fn is_local(symbol: &Symbol) -> bool {
    matches!(symbol.binding, Binding::Graph | Binding::Module(_) | Binding::Imported(..))
}

fn part_of<'a, 'b>(symbol: &Symbol, parts: &'a [Part<'b>]) -> Option<&'a Part<'b>> {
    let Place::Section { index, .. } = symbol.place else { return None };
    parts.iter().find(|part| part.number == index)
}

fn write(
    writer: &mut Writer<'_>,
    isa: &Isa,
    parts: &[Part<'_>],
    symbols: &[&Symbol],
    names: &[StringId],
) {
    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        // Addresses are final.
        e_type: elf::ET_EXEC,
        e_machine: isa.machine,
        e_entry: 0,
        e_flags: 0,
    };
    writer.write_file_header(&header).expect("a header that ELF has room for");
    for part in parts {
        if let Some(bytes) = &part.bytes {
            writer.pad_until(part.offset);
            writer.write(bytes);
        }
    }
    writer.write_null_symbol();
    for (symbol, name) in symbols.iter().zip(names) {
        writer.write_symbol(&sym(symbol, *name, parts));
    }
    writer.write_strtab();
    writer.write_shstrtab();
    writer.write_null_section_header();
    for part in parts {
        writer.write_section_header(&section_header(part));
    }
    let locals = symbols.iter().filter(|symbol| is_local(symbol)).count();
    writer.write_symtab_section_header(locals as u32 + 1);
    writer.write_strtab_section_header();
    writer.write_shstrtab_section_header();
}

fn sym(symbol: &Symbol, name: StringId, parts: &[Part<'_>]) -> Sym {
    let part = part_of(symbol, parts);
    let offset = match symbol.place {
        Place::Section { offset, .. } => offset,
        _ => 0,
    };
    let kind = match part.map(|part| part.section.kind) {
        Some(SectionKind::Code) => elf::STT_FUNC,
        Some(SectionKind::ThreadLocal) => elf::STT_TLS,
        _ => elf::STT_OBJECT,
    };
    let binding = if is_local(symbol) { elf::STB_LOCAL } else { elf::STB_GLOBAL };
    Sym {
        name: Some(name),
        section: part.map(|part| part.index),
        st_info: binding << 4 | kind,
        st_other: 0,
        st_shndx: 0,
        st_value: part.map_or(0, |part| part.address + offset),
        st_size: symbol.size,
    }
}

fn section_header(part: &Part<'_>) -> SectionHeader {
    let in_memory = elf::SHF_ALLOC;
    let flags = match part.section.kind {
        SectionKind::Unloaded => 0,
        SectionKind::Code => in_memory | elf::SHF_EXECINSTR,
        SectionKind::ReadOnly | SectionKind::Unwind | SectionKind::StackMaps => in_memory,
        SectionKind::ThreadLocal => in_memory | elf::SHF_TLS,
        SectionKind::Data | SectionKind::Init(_) | SectionKind::Fini(_) => {
            in_memory | elf::SHF_WRITE
        }
    };
    SectionHeader {
        name: Some(part.name),
        sh_type: if part.bytes.is_some() { elf::SHT_PROGBITS } else { elf::SHT_NOBITS },
        sh_flags: flags.into(),
        sh_addr: part.address,
        sh_offset: part.offset as u64,
        sh_size: part.section.size,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: part.section.align,
        sh_entsize: 0,
    }
}
