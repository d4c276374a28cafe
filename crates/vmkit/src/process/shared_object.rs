//! Shared objects made in memory: how the dynamic linker hears of what linked code has.
//!
//! Names of ours resolve references of libraries that are loaded later, and thread-local variables get
//! a place at a fixed distance from every thread's pointer, when both are in a shared object. It has one
//! segment, which begins with its headers (ELF gABI, "Dynamic Linking"; the ELF TLS ABI).
#![expect(unsafe_code, reason = "loads a library and reads a word of it")]

use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use object::elf;

use crate::error::{Error, Kind, Result};
use crate::symbol::Addr;
use crate::target::{Isa, native};

use super::extent::link_map;
use super::loaded::open;

const HEADER: u64 = 64;
const SEGMENT: u64 = 56;
const SEGMENTS: u64 = 3;
const SYMBOL: usize = 24;
/// Where the word is that is to hold the distance of the thread-local variables.
const DISTANCE: u64 = HEADER + SEGMENTS * SEGMENT;
/// Where the relocation of that word is, and its size.
const RELOCATION: u64 = DISTANCE + 8;
const RELOCATION_SIZE: u64 = 24;
const SYMBOLS: u64 = RELOCATION + RELOCATION_SIZE;
/// The symbol is no relative one: the dynamic linker adds nothing to its value.
const ABSOLUTE: u16 = elf::SHN_ABS;
/// Pages are no larger than this.
const PAGE: u64 = 1 << 16;

/// How many were loaded.
static LOADED: AtomicU32 = AtomicU32::new(0);

/// A name, what it stands for, and where that is.
pub(crate) struct Export<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) is_function: bool,
    pub(crate) address: Addr,
}

/// Makes the names resolve references of libraries that are loaded from now on.
pub(crate) fn export(exports: &[Export<'_>]) -> Result<()> {
    load(&bytes(exports, None), libc::RTLD_GLOBAL).map(drop)
}

/// Gives every thread, those that there are and those to come, a copy of the variables `initial` at one
/// distance from its thread pointer, which it tells.
pub(crate) fn fix_thread_locals(initial: &[u8], align: u64) -> Result<i64> {
    let base = load(&bytes(&[], Some((initial, align))), libc::RTLD_LOCAL).map_err(|_| {
        let what = "the system has no room left for variables at fixed distances";
        Error::other(format!("{what} ({} bytes, aligned to {align})", initial.len()))
    })?;
    // SAFETY: the word of the object that the dynamic linker filled in.
    Ok(unsafe { *((base + DISTANCE) as *const i64) })
}

/// Loads a shared object for good, and tells where it is.
fn load(bytes: &[u8], scope: i32) -> Result<u64> {
    let name: &CStr = c"vmkit";
    // SAFETY: a C string.
    let file = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(Error::system("memfd_create"));
    }
    // SAFETY: ours, and open.
    let file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(file) });
    (&file).write_all(bytes).map_err(|error| Error::other(error.to_string()))?;
    // The dynamic linker takes libraries of one path for one: this one is not spelled like any before.
    let number = LOADED.fetch_add(1, Ordering::Relaxed);
    let way: String = (0..32).map(|bit| if number >> bit & 1 == 0 { "/" } else { "/." }).collect();
    let path = format!("/proc/self/fd{way}/{}", file.as_raw_fd());
    let path = CString::new(path).expect("digits");
    // SAFETY: a shared object without code.
    let handle = unsafe { open(&path, libc::RTLD_NOW | scope) }
        .map_err(|what| Kind::Library { file: "(what the program defines)".into(), what })?;
    // SAFETY: nobody closes it.
    unsafe { link_map(handle) }
        .map(|map| map.base)
        .ok_or_else(|| Error::other("a loaded library is nowhere"))
}

/// The bytes of a shared object.
fn bytes(exports: &[Export<'_>], thread_locals: Option<(&[u8], u64)>) -> Vec<u8> {
    let mut symbols = vec![0; SYMBOL];
    let mut strings = vec![0];
    for export in exports {
        let kind = if export.is_function { elf::STT_FUNC } else { elf::STT_OBJECT };
        symbols.extend((strings.len() as u32).to_le_bytes());
        symbols.extend([elf::STB_GLOBAL << 4 | kind, elf::STV_DEFAULT]);
        symbols.extend(ABSOLUTE.to_le_bytes());
        symbols.extend([export.address.0, 0].map(u64::to_le_bytes).as_flattened());
        strings.extend(export.name);
        strings.push(0);
    }
    let (initial, align) = thread_locals.unwrap_or((&[], 1));
    let image = (SYMBOLS + symbols.len() as u64).next_multiple_of(align.max(8));
    let hash = (image + initial.len() as u64).next_multiple_of(8);
    let hashes = hash_table(exports);
    let dynamic = (hash + hashes.len() as u64).next_multiple_of(8);
    let relocated = if thread_locals.is_some() { RELOCATION_SIZE } else { 0 };
    let entries = |strings_at: u64| {
        [
            [elf::DT_HASH.into(), hash],
            [elf::DT_STRTAB.into(), strings_at],
            [elf::DT_STRSZ.into(), strings.len() as u64],
            [elf::DT_SYMTAB.into(), SYMBOLS],
            [elf::DT_SYMENT.into(), SYMBOL as u64],
            [elf::DT_RELA.into(), RELOCATION],
            [elf::DT_RELASZ.into(), relocated],
            [elf::DT_RELAENT.into(), RELOCATION_SIZE],
            [0, 0],
        ]
    };
    let dynamic_size = size_of_val(&entries(0)) as u64;
    let strings_at = dynamic + dynamic_size;
    let end = strings_at + strings.len() as u64;

    let mut bytes = header();
    let segment = |kind: u32, flags: u32, at: u64, size: u64, align: u64| {
        let head = u64::from(kind) | u64::from(flags) << 32;
        [head, at, at, at, size, size, align].map(u64::to_le_bytes)
    };
    let locals_kind = if thread_locals.is_some() { elf::PT_TLS } else { elf::PT_NULL };
    let writable = elf::PF_R | elf::PF_W;
    bytes.extend(segment(elf::PT_LOAD, writable, 0, end, PAGE).as_flattened());
    bytes.extend(segment(elf::PT_DYNAMIC, writable, dynamic, dynamic_size, 8).as_flattened());
    bytes
        .extend(segment(locals_kind, elf::PF_R, image, initial.len() as u64, align).as_flattened());
    bytes.extend(
        [0, DISTANCE, native::THREAD_DISTANCE.into(), 0].map(u64::to_le_bytes).as_flattened(),
    );
    bytes.extend(symbols);
    for (at, part) in [(image, initial), (hash, &hashes)] {
        bytes.resize(at as usize, 0);
        bytes.extend(part);
    }
    bytes.resize(dynamic as usize, 0);
    bytes.extend(entries(strings_at).as_flattened().iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(strings);
    bytes
}

fn header() -> Vec<u8> {
    let mut bytes = elf::ELFMAG.to_vec();
    bytes.extend([elf::ELFCLASS64, elf::ELFDATA2LSB, elf::EV_CURRENT, 0]);
    bytes.resize(16, 0);
    bytes.extend(elf::ET_DYN.to_le_bytes());
    bytes.extend(Isa::NATIVE.machine.to_le_bytes());
    bytes.extend(u32::from(elf::EV_CURRENT).to_le_bytes());
    // No entry; the segments' headers; no sections.
    bytes.extend([0, HEADER, 0].map(u64::to_le_bytes).as_flattened());
    bytes.extend(0u32.to_le_bytes());
    let sizes = [HEADER, SEGMENT, SEGMENTS, 0, 0, 0];
    bytes.extend(sizes.map(|size| (size as u16).to_le_bytes()).as_flattened());
    bytes
}

/// The table by which symbols are found (gABI, "Hash Table"): as many buckets as names.
fn hash_table(exports: &[Export<'_>]) -> Vec<u8> {
    let buckets = exports.len().max(1);
    let mut first = vec![0u32; buckets];
    let mut next = vec![0u32; exports.len() + 1];
    for (index, export) in exports.iter().enumerate() {
        let bucket = &mut first[elf::hash(export.name) as usize % buckets];
        next[index + 1] = std::mem::replace(bucket, index as u32 + 1);
    }
    let counts = [buckets as u32, next.len() as u32];
    counts.iter().chain(&first).chain(&next).flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host;

    #[test]
    fn exported_names_are_found() {
        let names: Vec<_> = (0..50).map(|n| format!("vmkit_exported_{n}")).collect();
        let exports = names.iter().enumerate().map(|(n, name)| Export {
            name: name.as_bytes(),
            is_function: n % 2 == 0,
            address: Addr(0x1000 + n as u64),
        });
        export(&exports.collect::<Vec<_>>()).unwrap();
        for (n, name) in names.iter().enumerate() {
            let name = CString::new(name.as_str()).unwrap();
            // SAFETY: a C string.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            assert_eq!(found as usize, 0x1000 + n);
        }
        // SAFETY: as above.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"vmkit_exported_50".as_ptr()) };
        assert!(found.is_null());
    }

    #[test]
    fn thread_locals_are_at_one_distance() {
        let distance = fix_thread_locals(&[1, 2, 3, 4, 5], 32).unwrap();
        let place = move || host::thread_pointer().wrapping_add_signed(distance) as *mut [u8; 5];
        // SAFETY: this thread's copy.
        let here = unsafe {
            (*place())[1] = 7;
            *place()
        };
        // SAFETY: that thread's.
        let there = std::thread::spawn(move || unsafe { (place() as u64 % 32, *place()) });
        assert_ne!(fix_thread_locals(&[6], 1).unwrap(), distance);
        assert_eq!(here, [1, 7, 3, 4, 5]);
        assert_eq!(there.join().unwrap(), (0, [1, 2, 3, 4, 5]));
        assert!(fix_thread_locals(&[0; 1 << 20], 8).is_err());
    }
}
