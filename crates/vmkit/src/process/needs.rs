//! What a shared library needs from others.

use std::fs::File;

use object::elf::FileHeader64;
use object::read::elf::{Dyn, FileHeader, SectionTable, Sym};
use object::{Endianness, ReadCache};

/// The names that the library in a file needs; none where that cannot be read.
pub(crate) fn undefined_names(path: &str) -> Vec<Vec<u8>> {
    File::open(path).ok().and_then(read).unwrap_or_default()
}

/// The libraries that the one in a file says it needs; none where that cannot be read.
pub fn needed_libraries(path: &str) -> Vec<String> {
    File::open(path).ok().and_then(read_needed).unwrap_or_default()
}

fn read_needed(file: File) -> Option<Vec<String>> {
    let data = &ReadCache::new(file);
    let (endian, sections) = sections(data)?;
    let (entries, strings) = sections.dynamic(endian, data).ok()??;
    let strings = sections.strings(endian, data, strings).ok()?;
    let needed = entries.iter().filter(|entry| entry.tag32(endian) == Some(object::elf::DT_NEEDED));
    let names = needed.filter_map(|entry| entry.string(endian, strings).ok());
    Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

type Sections<'a> = SectionTable<'a, FileHeader64<Endianness>, &'a ReadCache<File>>;

fn sections(data: &ReadCache<File>) -> Option<(Endianness, Sections<'_>)> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    Some((endian, header.sections(endian, data).ok()?))
}

fn read(file: File) -> Option<Vec<Vec<u8>>> {
    let data = &ReadCache::new(file);
    let (endian, sections) = sections(data)?;
    let symbols = sections.symbols(endian, data, object::elf::SHT_DYNSYM).ok()?;
    let needed = symbols.iter().filter(|symbol| symbol.is_undefined(endian));
    let names = needed.filter_map(|symbol| symbol.name(endian, symbols.strings()).ok());
    Some(names.filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_the_c_library() {
        let names = undefined_names("/proc/self/exe");
        assert!(names.iter().any(|name| name == b"malloc"), "{}", names.len());
        assert!(needed_libraries("/proc/self/exe").iter().any(|name| name == "libc.so.6"));
        assert!(needed_libraries("/proc/self/status").is_empty());
        assert!(undefined_names("/proc/self/status").is_empty());
        assert!(undefined_names("/no/such/file").is_empty());
    }
}
