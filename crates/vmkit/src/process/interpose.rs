//! Symbol interposition: sends a loaded library's references to a name somewhere else.
//!
//! A library reaches what it does not define itself through words of its global offset table, one
//! for each name (ELF gABI, dynamic linking). Rewriting that word is what the dynamic linker does
//! when the executable defines the name.
#![expect(unsafe_code, reason = "reads and rewrites the tables of loaded libraries")]

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString, c_void};

use object::elf;
use parking_lot::Mutex;

use super::extent::link_map;
use super::loaded::is_any_library;
use crate::error::{Error, Result};
use crate::symbol::Addr;
use crate::target::native;

/// Names to interpose, and what to do: from the address bound now to the new one.
pub(crate) type Replacements<'a> = HashMap<&'a [u8], &'a dyn Fn(Addr) -> Result<Addr>>;

/// Which references of a library are to be interposed: by its path, those of these names; none where
/// it has none.
pub(crate) type Choice<'a> = dyn Fn(&str) -> Option<fn(&[u8]) -> bool> + 'a;

/// Sends the references that are chosen elsewhere.
pub(crate) fn interpose(choice: &Choice<'_>, replacements: &Replacements<'_>) -> Result<()> {
    let libraries = libraries();
    let beginnings = Beginnings::new(replacements.keys());
    // The executable has no name.
    let mut others = libraries.iter().filter(|library| !library.path.is_empty());
    others.try_for_each(|library| {
        let Some(is_wanted) = choice(&library.path) else { return Ok(()) };
        library.each_reference(&beginnings, |name, word| {
            let replace = replacements.get(name.to_bytes());
            match replace.filter(|_| is_wanted(name.to_bytes())) {
                Some(replace) => library.store(word, &|now| replace(library.bound(name, now))),
                None => Ok(()),
            }
        })
    })
}

/// Sends all references of the libraries that are wanted, by path, to functions elsewhere, by name; gives
/// the names to which there are any. Other threads may load and close libraries meanwhile.
pub(crate) fn replace<'a>(
    is_wanted: &dyn Fn(&str) -> bool,
    addresses: &HashMap<&'a [u8], Addr>,
) -> Result<HashSet<&'a [u8]>> {
    // Of two threads that write to a page, one would make it read-only again.
    static TURN: Mutex<()> = Mutex::new(());
    let beginnings = Beginnings::new(addresses.keys());
    let mut named = HashSet::new();
    for library in libraries().iter().filter(|library| is_wanted(&library.path)) {
        let Some(_held) = library.hold() else { continue };
        let _turn = TURN.lock();
        library.each_reference(&beginnings, |name, word| {
            let known = addresses.get_key_value(name.to_bytes());
            let Some((&name, &address)) = known else { return Ok(()) };
            named.insert(name);
            library.store(word, &|_| Ok(address))
        })?;
    }
    Ok(named)
}

/// Sends all references to the variable at `old`, whatever its name, to `new`.
pub(crate) fn redirect(old: Addr, new: Addr) -> Result<()> {
    libraries().iter().try_for_each(|library| library.redirect(old, new))
}

/// All that is loaded, the executable among them.
fn libraries() -> Vec<Library> {
    let mut libraries: Vec<Library> = Vec::new();
    is_any_library(|info, headers| {
        // SAFETY: the name is a C string or null.
        let name = unsafe { info.dlpi_name.as_ref().map(|name| CStr::from_ptr(name)) };
        let name = name.map(CStr::to_string_lossy).unwrap_or_default();
        // SAFETY: a loaded library's headers.
        libraries.extend(unsafe { Library::new(&name, info, headers) });
        false
    });
    libraries
}

/// The first two bytes that names have: libraries name tens of thousands of others.
struct Beginnings(Vec<bool>);

impl Beginnings {
    fn new<'a>(names: impl Iterator<Item = &'a &'a [u8]>) -> Self {
        let mut all = vec![false; 1 << 16];
        for name in names {
            let byte = |place| name.get(place).copied().unwrap_or(0);
            all[Self::place(byte(0), byte(1))] = true;
        }
        Self(all)
    }

    fn place(first: u8, second: u8) -> usize {
        usize::from(u16::from_le_bytes([first, second]))
    }

    /// Does any of the names begin like this C string?
    ///
    /// # Safety
    ///
    /// It is one.
    unsafe fn has(&self, name: *const u8) -> bool {
        // SAFETY: the second byte is read only if the string does not end before it.
        unsafe {
            let first = *name;
            let second = if first == 0 { 0 } else { *name.add(1) };
            self.0[Self::place(first, second)]
        }
    }
}

/// The tables of a loaded library, by address.
#[derive(Clone, Default)]
struct Library {
    path: String,
    base: u64,
    end: u64,
    symbols: u64,
    strings: u64,
    calls: (u64, u64),
    others: (u64, u64),
    /// How many of the others, the first ones, name no symbol.
    nameless: usize,
    /// Pages made read-only after relocation.
    sealed: (u64, u64),
}

/// While it lives, a library stays loaded.
struct Held(*mut c_void);

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: a handle that dlopen gave, closed once.
        unsafe { libc::dlclose(self.0) };
    }
}

#[repr(C)]
struct Dynamic {
    tag: u64,
    value: u64,
}

#[repr(C)]
struct Relocation {
    offset: u64,
    info: u64,
    addend: i64,
}

#[repr(C)]
struct DynamicSymbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

impl Library {
    /// # Safety
    ///
    /// `info` describes a library that stays loaded.
    unsafe fn new(
        path: &str,
        info: &libc::dl_phdr_info,
        headers: &[libc::Elf64_Phdr],
    ) -> Option<Self> {
        let mut library = Self { path: path.into(), base: info.dlpi_addr, ..Self::default() };
        let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        let ends = loaded.map(|header| info.dlpi_addr + header.p_vaddr + header.p_memsz);
        library.end = ends.max().unwrap_or(library.base);
        let find = |kind| headers.iter().find(|header| header.p_type == kind);
        if let Some(header) = find(libc::PT_GNU_RELRO) {
            let start = info.dlpi_addr + header.p_vaddr;
            let whole = !(page_size() - 1);
            library.sealed = (start & whole, (start + header.p_memsz) & whole);
        }
        let mut entry = (info.dlpi_addr + find(libc::PT_DYNAMIC)?.p_vaddr) as *const Dynamic;
        // SAFETY: the dynamic section ends with a null tag; the loader has made its addresses
        // absolute.
        unsafe {
            while (*entry).tag != 0 {
                let value = (*entry).value;
                match u32::try_from((*entry).tag) {
                    Ok(elf::DT_SYMTAB) => library.symbols = value,
                    Ok(elf::DT_STRTAB) => library.strings = value,
                    Ok(elf::DT_JMPREL) => library.calls.0 = value,
                    Ok(elf::DT_PLTRELSZ) => library.calls.1 = value,
                    Ok(elf::DT_RELA) => library.others.0 = value,
                    Ok(elf::DT_RELASZ) => library.others.1 = value,
                    Ok(elf::DT_RELACOUNT) => library.nameless = value as usize,
                    _ => {}
                }
                entry = entry.add(1);
            }
        }
        Some(library)
    }

    /// Keeps the library loaded, which it is whole then. None if it is gone.
    fn hold(&self) -> Option<Held> {
        // What has no path is the executable, or of the system's.
        let path = CString::new(self.path.as_str()).ok().filter(|_| self.path.contains('/'))?;
        // SAFETY: a C string; nothing is loaded.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        let held = (!handle.is_null()).then(|| Held(handle))?;
        // SAFETY: held.
        let map = unsafe { link_map(handle) };
        map.is_some_and(|map| map.base == self.base).then_some(held)
    }

    /// Visits the words of the library's offset table that stand for names which may be wanted.
    fn each_reference(
        &self,
        beginnings: &Beginnings,
        mut visit: impl FnMut(&CStr, u64) -> Result<()>,
    ) -> Result<()> {
        for ((table, bytes), first) in [(self.calls, 0), (self.others, self.nameless)] {
            let count = bytes as usize / size_of::<Relocation>();
            for index in first..count {
                // SAFETY: the library's own table of this length.
                let relocation = unsafe { &*(table as *const Relocation).add(index) };
                let kind = relocation.info as u32;
                if !native::TABLE_ENTRIES.contains(&kind) {
                    continue;
                }
                // SAFETY: the symbol's number is one of the library's table, its name a C string
                // in the library's strings.
                let name = unsafe {
                    let symbol = (self.symbols as *const DynamicSymbol)
                        .add((relocation.info >> 32) as usize);
                    let name = (self.strings + u64::from((*symbol).name)) as *const u8;
                    if !beginnings.has(name) {
                        continue;
                    }
                    CStr::from_ptr(name.cast())
                };
                visit(name, self.base + relocation.offset)?;
            }
        }
        Ok(())
    }

    fn redirect(&self, old: Addr, new: Addr) -> Result<()> {
        let count = self.others.1 as usize / size_of::<Relocation>();
        for index in self.nameless..count {
            // SAFETY: the library's own table of this length.
            let relocation = unsafe { &*(self.others.0 as *const Relocation).add(index) };
            if !native::TABLE_ENTRIES.contains(&(relocation.info as u32)) {
                continue;
            }
            let word = self.base + relocation.offset;
            // SAFETY: a word of the library's offset table, which is aligned.
            if unsafe { *(word as *const u64) } == old.0 {
                self.store(word, &|_| Ok(new))?;
            }
        }
        Ok(())
    }

    /// What a word that holds `now` stands for. One that was not used yet leads back into the
    /// library, to code that would bind it for good.
    fn bound(&self, name: &CStr, now: Addr) -> Addr {
        if !(self.base..self.end).contains(&now.0) {
            return now;
        }
        // SAFETY: a C string.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        if found.is_null() { now } else { Addr(found as u64) }
    }

    fn store(&self, word: u64, replace: &dyn Fn(Addr) -> Result<Addr>) -> Result<()> {
        let size = page_size() as usize;
        let page = word & !(size as u64 - 1);
        let is_sealed = (self.sealed.0..self.sealed.1).contains(&word);
        let protect = |protection| {
            // SAFETY: the page holds data of the library, which is made writable as it was
            // before the loader sealed it, and sealed again after.
            if is_sealed && unsafe { libc::mprotect(page as *mut _, size, protection) } != 0 {
                return Err(Error::system("mprotect"));
            }
            Ok(())
        };
        protect(libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: an aligned word of the library's offset table, which others only read.
        let word = unsafe { std::sync::atomic::AtomicU64::from_ptr(word as *mut u64) };
        let now = Addr(word.load(std::sync::atomic::Ordering::Relaxed));
        let result = replace(now);
        if let Ok(new) = result {
            word.store(new.0, std::sync::atomic::Ordering::Release);
        }
        protect(libc::PROT_READ)?;
        result.map(drop)
    }
}

fn page_size() -> u64 {
    // SAFETY: it tells a number.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.cast_unsigned()
}
