//! What a shared library needs from others.

use std::fs::File;

use object::elf::{DT_NEEDED, FileHeader64, SHT_DYNSYM};
use object::read::elf::{Dyn, FileHeader, SectionTable, Sym};
use object::{Endianness, ReadCache};

use super::search;
use crate::symbol::Addr;

/// A shared library that is to be loaded, and what its file says that it needs.
///
/// A library that the process has already, or whose file cannot be found or read, needs nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedLibrary {
    file: String,
    names: Vec<Vec<u8>>,
    libraries: Vec<String>,
}

impl SharedLibrary {
    /// Reads what the library needs that `dlopen` finds by this path or name. (What only the dynamic
    /// linker's own list names is not found.)
    #[must_use]
    pub fn read(file: &str) -> Self {
        Self::read_for(Addr(0), file)
    }

    /// As [`SharedLibrary::read`], of the library that is found when code at `caller` asks for it:
    /// libraries may say where those that they load are.
    #[must_use]
    pub fn read_for(caller: Addr, file: &str) -> Self {
        let path = if search::is_loaded(file) { None } else { search::path(file, caller) };
        let needs = path.and_then(|path| File::open(path).ok()).and_then(read);
        let (names, libraries) = needs.unwrap_or_default();
        Self { file: file.into(), names, libraries }
    }

    /// The path or name by which it is loaded.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The libraries that it needs, by name.
    #[must_use]
    pub fn libraries(&self) -> &[String] {
        &self.libraries
    }

    /// The names that it does not define itself.
    pub(crate) fn names(&self) -> &[Vec<u8>] {
        &self.names
    }
}

impl From<&str> for SharedLibrary {
    fn from(file: &str) -> Self {
        Self::read(file)
    }
}

type Sections<'a> = SectionTable<'a, FileHeader64<Endianness>, &'a ReadCache<File>>;

fn read(file: File) -> Option<(Vec<Vec<u8>>, Vec<String>)> {
    let data = &ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let libraries = libraries(data, endian, &sections).unwrap_or_default();
    Some((undefined(data, endian, &sections).unwrap_or_default(), libraries))
}

fn libraries(
    data: &ReadCache<File>,
    endian: Endianness,
    sections: &Sections<'_>,
) -> Option<Vec<String>> {
    let (entries, strings) = sections.dynamic(endian, data).ok()??;
    let strings = sections.strings(endian, data, strings).ok()?;
    let needed = entries.iter().filter(|entry| entry.tag32(endian) == Some(DT_NEEDED));
    let names = needed.filter_map(|entry| entry.string(endian, strings).ok());
    Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

fn undefined(
    data: &ReadCache<File>,
    endian: Endianness,
    sections: &Sections<'_>,
) -> Option<Vec<Vec<u8>>> {
    let symbols = sections.symbols(endian, data, SHT_DYNSYM).ok()?;
    let needed = symbols.iter().filter(|symbol| symbol.is_undefined(endian));
    let names = needed.filter_map(|symbol| symbol.name(endian, symbols.strings()).ok());
    Some(names.filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_the_c_library() {
        let program = SharedLibrary::read("/proc/self/exe");
        assert!(program.names().iter().any(|name| name == b"malloc"), "{program:?}");
        assert!(program.libraries().iter().any(|name| name == "libc.so.6"), "{program:?}");
    }

    #[test]
    fn what_is_no_library_needs_nothing() {
        for file in ["/proc/self/status", "/no/such/file", "no_such_library.so", "nul\0.so"] {
            let library = SharedLibrary::read(file);
            assert!(library.names().is_empty() && library.libraries().is_empty(), "{library:?}");
            assert_eq!(library.file(), file);
        }
    }

    #[test]
    fn what_is_loaded_needs_nothing_more() {
        assert!(SharedLibrary::read("libc.so.6").names().is_empty());
    }
}
