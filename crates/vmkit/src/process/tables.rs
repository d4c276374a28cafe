//! What a loaded library defines, read from its own tables.
//!
//! The dynamic linker's `dlsym` waits for its lock, which a thread holds that loads a library. Code that
//! runs meanwhile, a constructor of that library, may make a first call, for which another thread looks
//! names up. So nothing is locked here.
#![expect(unsafe_code, reason = "reads the tables of loaded libraries; asks resolvers of ifuncs")]

use std::ffi::CStr;

use object::elf;

use super::extent::LinkMap;
use super::libraries::Found;
use crate::symbol::Addr;

/// Versions from this one on have names (gABI, "Symbol Versioning": 0 is local, 1 global).
const FIRST_VERSION: u16 = 2;
/// A version that is not the default one of its name.
const HIDDEN: u16 = 0x8000;

/// A library's tables, by address.
#[derive(Clone, Copy)]
pub(super) struct Tables {
    base: u64,
    symbols: *const libc::Elf64_Sym,
    strings: *const u8,
    /// The version of each symbol; null if they have none.
    versions: *const u16,
    /// The table of hashes (`DT_GNU_HASH`).
    hashes: *const u32,
    /// The number of its block of thread-local variables.
    module: u64,
}

/// What is found without the dynamic linker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Own {
    Here(Found),
    /// The library does not define it.
    Absent,
    /// Only the dynamic linker knows.
    Unknown,
}

#[repr(C)]
struct Dynamic {
    tag: u64,
    value: u64,
}

impl Tables {
    /// The tables of a library whose variables' block has this number; none if it has no table of hashes.
    ///
    /// # Safety
    ///
    /// The library stays loaded.
    pub(super) unsafe fn new(map: &LinkMap, module: u64) -> Option<Self> {
        let (mut symbols, mut strings, mut versions, mut hashes) = (0, 0, 0, 0);
        let mut entry = map.dynamic.cast::<Dynamic>();
        // SAFETY: the dynamic section ends with a null tag.
        unsafe {
            while (*entry).tag != 0 {
                match u32::try_from((*entry).tag) {
                    Ok(elf::DT_SYMTAB) => symbols = (*entry).value,
                    Ok(elf::DT_STRTAB) => strings = (*entry).value,
                    Ok(elf::DT_VERSYM) => versions = (*entry).value,
                    Ok(elf::DT_GNU_HASH) => hashes = (*entry).value,
                    _ => {}
                }
                entry = entry.add(1);
            }
        }
        (hashes != 0).then_some(Self {
            base: map.base,
            symbols: symbols as *const _,
            strings: strings as *const _,
            versions: versions as *const _,
            hashes: hashes as *const _,
            module,
        })
    }

    /// What the library itself has under a name, in its default version.
    pub(super) fn find(&self, name: &CStr) -> Own {
        // SAFETY: the tables of a loaded library, which the linker made of one another.
        unsafe {
            let Some(symbol) = self.symbol(name) else { return Own::Absent };
            let at = match symbol.st_shndx {
                elf::SHN_ABS => symbol.st_value,
                _ => self.base.wrapping_add(symbol.st_value),
            };
            match (symbol.st_info & 0xf, symbol.st_info >> 4) {
                // One for all libraries, whoever is first.
                (_, elf::STB_GNU_UNIQUE) => Own::Unknown,
                (elf::STT_TLS, _) => {
                    Own::Here(Found::ThreadLocal { module: self.module, offset: symbol.st_value })
                }
                (elf::STT_GNU_IFUNC, _) => resolved(at),
                _ => Own::Here(Found::At(Addr(at))),
            }
        }
    }

    /// # Safety
    ///
    /// The tables are a loaded library's.
    unsafe fn symbol(&self, name: &CStr) -> Option<&libc::Elf64_Sym> {
        // SAFETY: the table has a head of four words, a filter of so many double words, a list of buckets,
        // and a hash for each symbol from the first on that can be found.
        unsafe {
            let [buckets, first, filter, _] = *self.hashes.cast::<[u32; 4]>();
            if buckets == 0 {
                return None;
            }
            let heads = self.hashes.add(4 + 2 * filter as usize);
            let chains = heads.add(buckets as usize);
            let hash = elf::gnu_hash(name.to_bytes());
            let mut index = *heads.add((hash % buckets) as usize);
            if index < first {
                return None;
            }
            loop {
                let known = *chains.add((index - first) as usize);
                if (known ^ hash) >> 1 == 0 && self.is(index as usize, name) {
                    return Some(&*self.symbols.add(index as usize));
                }
                if known & 1 != 0 {
                    return None;
                }
                index += 1;
            }
        }
    }

    /// Does the symbol define this name, in the version that is meant where none is named?
    ///
    /// # Safety
    ///
    /// It is one of the table.
    unsafe fn is(&self, index: usize, name: &CStr) -> bool {
        // SAFETY: the caller's promise; names are C strings.
        unsafe {
            let symbol = &*self.symbols.add(index);
            let own = CStr::from_ptr(self.strings.add(symbol.st_name as usize).cast());
            let version = if self.versions.is_null() { 1 } else { *self.versions.add(index) };
            let is_default = version & !HIDDEN < FIRST_VERSION || version & HIDDEN == 0;
            let is_place = symbol.st_value != 0 || symbol.st_info & 0xf == elf::STT_TLS;
            own == name && is_default && is_place && symbol.st_shndx != elf::SHN_UNDEF
        }
    }
}

/// The function that an ifunc's resolver chooses.
///
/// # Safety
///
/// There is a resolver at the address, of a loaded library.
unsafe fn resolved(resolver: u64) -> Own {
    if cfg!(not(target_arch = "x86_64")) {
        // It is told of the processor, by the dynamic linker.
        return Own::Unknown;
    }
    // SAFETY: the caller's promise; resolvers take nothing here (x86-64 psABI).
    let address = unsafe {
        let choose: extern "C" fn() -> u64 = std::mem::transmute(resolver as *const ());
        choose()
    };
    Own::Here(Found::At(Addr(address)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::extent::link_map;

    /// The tables of a library, and what the dynamic linker finds in it.
    fn check(file: &CStr, names: &[&CStr]) {
        // SAFETY: a library of the system, loaded for ever.
        unsafe {
            let handle = libc::dlopen(file.as_ptr(), libc::RTLD_NOW);
            let tables = Tables::new(link_map(handle).unwrap(), 0).unwrap();
            for name in names {
                let expected = libc::dlsym(handle, name.as_ptr()) as u64;
                assert_eq!(tables.find(name), Own::Here(Found::At(Addr(expected))), "{name:?}");
            }
        }
    }

    #[test]
    fn the_dynamic_linker_finds_the_same() {
        check(c"libc.so.6", &[c"qsort", c"stdout", c"environ", c"realpath", c"pthread_cond_wait"]);
        check(c"libm.so.6", &[c"signgam"]);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn resolvers_choose_what_the_dynamic_linker_has_them_choose() {
        check(c"libc.so.6", &[c"memcpy", c"strlen"]);
        check(c"libm.so.6", &[c"cos", c"exp"]);
    }

    #[test]
    fn what_is_elsewhere_is_absent() {
        // SAFETY: as above.
        let tables = unsafe {
            let handle = libc::dlopen(c"libm.so.6".as_ptr(), libc::RTLD_NOW);
            Tables::new(link_map(handle).unwrap(), 0).unwrap()
        };
        assert_eq!(tables.find(c"qsort"), Own::Absent);
        assert_eq!(tables.find(c"no_such_function"), Own::Absent);
        assert_eq!(tables.find(c""), Own::Absent);
    }
}
