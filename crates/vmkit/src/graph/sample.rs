//! Relocatable objects for tests, made byte by byte so that they can be wrong.

use object::elf;

use crate::target::{Isa, native};

/// An object to be.
#[derive(Clone, Default)]
pub(crate) struct Sample {
    pub(crate) parts: Vec<Part>,
    /// Without the null symbol, which is number 0.
    pub(crate) marks: Vec<Mark>,
}

/// A section; the first one has number 1.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) align: u64,
    /// As its header says; of sections with contents, the number of the bytes unless set.
    pub(crate) size: Option<u64>,
    pub(crate) info: u32,
    pub(crate) bytes: Vec<u8>,
    /// Offset, kind, symbol, addend.
    pub(crate) relocations: Vec<(u64, u32, u32, i64)>,
}

/// A symbol.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) name: &'static str,
    pub(crate) bind: u8,
    pub(crate) kind: u8,
    pub(crate) visibility: u8,
    pub(crate) section: u16,
    pub(crate) value: u64,
    pub(crate) size: u64,
}

impl Part {
    /// A section with contents.
    pub(crate) fn new(name: &'static str, flags: u32, bytes: &[u8]) -> Self {
        Self {
            name,
            kind: elf::SHT_PROGBITS,
            flags: elf::SHF_ALLOC | flags,
            align: 8,
            size: None,
            info: 0,
            bytes: bytes.to_vec(),
            relocations: Vec::new(),
        }
    }

    /// A section of code.
    pub(crate) fn code(bytes: &[u8]) -> Self {
        Self::new(".text", elf::SHF_EXECINSTR, bytes)
    }

    /// A comdat group of the sections with these numbers, named by a symbol.
    pub(crate) fn comdat(symbol: u32, members: &[u32]) -> Self {
        let words = [&[elf::GRP_COMDAT], members].concat();
        let bytes: Vec<_> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        Self { kind: elf::SHT_GROUP, flags: 0, info: symbol, ..Self::new(".group", 0, &bytes) }
    }
}

impl Mark {
    /// A global function.
    pub(crate) fn function(name: &'static str, section: u16, value: u64, size: u64) -> Self {
        let (bind, kind) = (elf::STB_GLOBAL, elf::STT_FUNC);
        Self { name, bind, kind, visibility: elf::STV_DEFAULT, section, value, size }
    }

    /// A reference to what is elsewhere.
    pub(crate) fn undefined(name: &'static str) -> Self {
        Self { kind: elf::STT_NOTYPE, ..Self::function(name, elf::SHN_UNDEF, 0, 0) }
    }
}

/// A function that calls `callee`, and data that points to it.
pub(crate) fn caller() -> Sample {
    let text = Part {
        relocations: vec![(1, elf::R_X86_64_PLT32, 2, -4)],
        ..Part::code(&[0xe8, 0, 0, 0, 0, 0xc3])
    };
    let data = Part {
        relocations: vec![(0, elf::R_X86_64_64, 1, 0)],
        ..Part::new(".data", elf::SHF_WRITE, &[0; 8])
    };
    let marks = vec![Mark::function("caller", 1, 0, 6), Mark::undefined("callee")];
    Sample { parts: vec![text, data], marks }
}

/// The same for what runs here.
pub(crate) fn native_caller() -> Sample {
    let (code, call) = match Isa::NATIVE.name {
        "x86_64" => (&[0xe8, 0, 0, 0, 0, 0xc3][..], (1, elf::R_X86_64_PLT32, 2, -4)),
        _ => (&[0, 0, 0, 0x94, 0xc0, 3, 0x5f, 0xd6][..], (0, elf::R_AARCH64_CALL26, 2, 0)),
    };
    let text = Part { relocations: vec![call], ..Part::code(code) };
    let relocations = vec![(0, pointer(), 1, 0)];
    let data = Part { relocations, ..Part::new(".data", elf::SHF_WRITE, &[0; 8]) };
    let size = code.len() as u64;
    let marks = vec![Mark::function("caller", 1, 0, size), Mark::undefined("callee")];
    Sample { parts: vec![text, data], marks }
}

/// The relocation of an address, for what runs here.
pub(crate) fn pointer() -> u32 {
    native::pointer(8, false).expect("a kind of relocation")
}

/// A section's header: name, type, flags, offset, size, link, info, alignment, size of an entry.
type Header = (usize, u32, u64, usize, u64, usize, u32, u64, u64);

impl Sample {
    /// The object, for what runs here.
    pub(crate) fn native_bytes(&self) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes[18..20].copy_from_slice(&Isa::NATIVE.machine.to_le_bytes());
        bytes
    }

    /// The object, for x86-64.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let symbols = self.parts.len() + 1;
        let (mut names, mut file) = (vec![0], vec![0; 64]);
        let mut headers: Vec<Header> = vec![(0, 0, 0, 0, 0, 0, 0, 0, 0)];
        for part in &self.parts {
            let size = part.size.unwrap_or(part.bytes.len() as u64);
            let name = text(&mut names, part.name);
            let (flags, at) = (u64::from(part.flags), append(&mut file, &part.bytes));
            headers.push((name, part.kind, flags, at, size, symbols, part.info, part.align, 0));
        }
        let mut strings = vec![0];
        let table = self.symbol_table(&mut strings);
        let mut own = |name, kind, bytes: &[u8], link, info, entry| {
            let name = text(&mut names, name);
            let (at, size) = (append(&mut file, bytes), bytes.len() as u64);
            headers.push((name, kind, 0, at, size, link, info, 8, entry));
        };
        own(".symtab", elf::SHT_SYMTAB, &table, symbols + 1, 1, 24);
        own(".strtab", elf::SHT_STRTAB, &strings, 0, 0, 0);
        for (index, part) in self.parts.iter().enumerate() {
            if !part.relocations.is_empty() {
                let target = u32::try_from(index + 1).expect("few sections");
                own(".rela", elf::SHT_RELA, &relocations(part), symbols, target, 24);
            }
        }
        let name = text(&mut names, ".shstrtab");
        let (at, size) = (append(&mut file, &names), names.len() as u64);
        headers.push((name, elf::SHT_STRTAB, 0, at, size, 0, 0, 1, 0));
        finish(file, &headers)
    }

    fn symbol_table(&self, strings: &mut Vec<u8>) -> Vec<u8> {
        let mut table = vec![0; 24];
        for mark in &self.marks {
            let name = text(strings, mark.name) as u32;
            table.extend(name.to_le_bytes());
            table.extend([mark.bind << 4 | mark.kind, mark.visibility]);
            table.extend(mark.section.to_le_bytes());
            table.extend(mark.value.to_le_bytes());
            table.extend(mark.size.to_le_bytes());
        }
        table
    }
}

fn relocations(part: &Part) -> Vec<u8> {
    let words = part.relocations.iter().flat_map(|&(offset, kind, symbol, addend)| {
        [offset, u64::from(symbol) << 32 | u64::from(kind), addend.cast_unsigned()]
    });
    words.flat_map(u64::to_le_bytes).collect()
}

/// Adds the section headers, and the file header that tells of them.
fn finish(mut file: Vec<u8>, headers: &[Header]) -> Vec<u8> {
    let at = append(&mut file, &[]) as u64;
    for &(name, kind, flags, offset, size, link, info, align, entry) in headers {
        file.extend((name as u32).to_le_bytes());
        file.extend(kind.to_le_bytes());
        [flags, 0, offset as u64, size].iter().for_each(|word| file.extend(word.to_le_bytes()));
        file.extend((link as u32).to_le_bytes());
        file.extend(info.to_le_bytes());
        [align, entry].iter().for_each(|word| file.extend(word.to_le_bytes()));
    }
    let count = u16::try_from(headers.len()).expect("few sections");
    file[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file[16..18].copy_from_slice(&elf::ET_REL.to_le_bytes());
    file[18..20].copy_from_slice(&elf::EM_X86_64.to_le_bytes());
    file[20] = 1;
    file[40..48].copy_from_slice(&at.to_le_bytes());
    file[52..54].copy_from_slice(&64u16.to_le_bytes());
    file[58..60].copy_from_slice(&64u16.to_le_bytes());
    file[60..62].copy_from_slice(&count.to_le_bytes());
    file[62..64].copy_from_slice(&(count - 1).to_le_bytes());
    file
}

fn text(table: &mut Vec<u8>, name: &str) -> usize {
    let at = table.len();
    table.extend(name.bytes().chain([0]));
    at
}

fn append(file: &mut Vec<u8>, bytes: &[u8]) -> usize {
    file.resize(file.len().next_multiple_of(8), 0);
    let at = file.len();
    file.extend(bytes);
    at
}
