//! What a shared library needs from others.

use object::elf::FileHeader64;
use object::read::elf::{FileHeader, Sym};
use object::{Endianness, ReadCache};

/// The names that the library in a file needs; none where that cannot be read.
pub(crate) fn undefined_names(path: &str) -> Vec<Vec<u8>> {
    std::fs::File::open(path).ok().and_then(read).unwrap_or_default()
}

fn read(file: std::fs::File) -> Option<Vec<Vec<u8>>> {
    let data = &ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
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
        assert!(undefined_names("/proc/self/status").is_empty());
        assert!(undefined_names("/no/such/file").is_empty());
    }
}
