//! Shared objects made in memory: how the dynamic linker hears of what linked code has.
//!
//! Names of ours resolve references of libraries that are loaded later, and thread-local variables get
//! a place at a fixed distance from every thread's pointer, when both are in a shared object. It has one
//! segment, which begins with its headers (ELF gABI, "Dynamic Linking"; the ELF TLS ABI).
#![expect(unsafe_code, reason = "loads a library and reads a word of it")]

use std::collections::BTreeSet;
use std::ffi::{CString, c_void};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering};

use object::write::StringId;
use object::write::elf::{FileHeader, ProgramHeader, Rel, Sym, Writer};
use object::{Endianness, elf};
use parking_lot::Mutex;

use crate::error::{Error, Kind, Result};
use crate::host;
use crate::symbol::{Addr, Name};
use crate::target::{Isa, native};

use super::extent::link_map;
use super::loaded::{module, open};

/// Pages are no larger than this.
const PAGE: u64 = 1 << 16;
const SEGMENTS: u32 = 3;
/// Entries of the dynamic section.
const ENTRIES: usize = 9;
/// Bytes of a relocation.
const RELOCATION: u64 = size_of::<elf::Rela64<Endianness>>() as u64;

/// How many were loaded.
static LOADED: AtomicU32 = AtomicU32::new(0);

/// A name, and what it stands for.
pub(crate) struct Export<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) place: Exported,
}

/// What an exported name stands for.
#[derive(Clone, Copy)]
pub(crate) enum Exported {
    Function(Addr),
    Data(Addr),
    /// An offset in the object's block of thread-local variables.
    ThreadLocal(u64),
}

/// A block of thread-local variables: its initial value, its alignment, and what is where in it.
pub(super) struct Block<'a> {
    pub(super) initial: &'a [u8],
    pub(super) align: u64,
    pub(super) names: &'a [(Name, u64)],
}

/// Makes the names resolve references of libraries that are loaded from now on. The first export of a name
/// is the one that they find.
pub(crate) fn export(mut exports: Vec<Export<'_>>) -> Result<()> {
    static NAMES: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());
    let known = NAMES.lock();
    exports.retain(|export| !known.contains(export.name));
    drop(known);
    if exports.is_empty() {
        return Ok(());
    }
    load(&bytes(&exports, None).0)?;
    NAMES.lock().extend(exports.iter().map(|export| export.name.to_vec()));
    Ok(())
}

/// Gives every thread, those that there are and those to come, a copy of the block when it first asks for
/// it, and makes its names resolve references of libraries. Tells the block's module number.
pub(super) fn share_thread_locals(block: &Block<'_>) -> Result<u64> {
    let handle = load(&bytes(&exports(block), Some((block, false))).0)?;
    // SAFETY: nobody closes it.
    match unsafe { module(handle) } {
        0 => Err(Error::other("a library with thread-local variables has no number")),
        module => Ok(module),
    }
}

/// As [`share_thread_locals`], but the copies are at one distance from the threads' pointers, which it
/// tells.
pub(super) fn fix_thread_locals(block: &Block<'_>) -> Result<i64> {
    let (bytes, distance) = bytes(&exports(block), Some((block, true)));
    let handle = load(&bytes).map_err(|_| {
        let what = "the system has no room left for variables at fixed distances";
        Error::other(format!("{what} ({} bytes, aligned to {})", block.initial.len(), block.align))
    })?;
    // SAFETY: nobody closes it.
    let map = unsafe { link_map(handle) };
    let base = map.ok_or_else(|| Error::other("a loaded library is nowhere"))?.base;
    // SAFETY: the word of the object that the dynamic linker filled in.
    Ok(unsafe { *((base + distance) as *const i64) })
}

fn exports<'a>(block: &Block<'a>) -> Vec<Export<'a>> {
    let names = block.names.iter();
    let export = |(name, offset): &'a (Name, u64)| Export {
        name: name.bytes(),
        place: Exported::ThreadLocal(*offset),
    };
    names.map(export).collect()
}

/// Loads a shared object for good.
fn load(bytes: &[u8]) -> Result<*mut c_void> {
    let file = host::memory_file()?;
    (&file).write_all(bytes).map_err(|error| Error::other(error.to_string()))?;
    // The dynamic linker takes libraries of one path for one: this one is not spelled like any before.
    let number = LOADED.fetch_add(1, Ordering::Relaxed);
    let way: String = (0..32).map(|bit| if number >> bit & 1 == 0 { "/" } else { "/." }).collect();
    let path = format!("/proc/self/fd{way}/{}", file.as_raw_fd());
    let path = CString::new(path).expect("digits");
    // SAFETY: a shared object without code.
    unsafe { open(&path, libc::RTLD_NOW | libc::RTLD_GLOBAL) }
        .map_err(|what| Kind::Library { file: "(what the program defines)".into(), what }.into())
}

/// The bytes of a shared object; and where the word is in it that is to hold the distance of the
/// thread-local variables, if they are to be at one.
fn bytes(exports: &[Export<'_>], block: Option<(&Block<'_>, bool)>) -> (Vec<u8>, u64) {
    let (initial, align) = block.map_or((&[][..], 1), |(block, _)| (block.initial, block.align));
    let (buckets, chains) = (exports.len().max(1) as u32, exports.len() as u32 + 1);
    let mut bytes = Vec::new();
    let mut writer = Writer::new(Endianness::Little, true, &mut bytes);
    writer.require_dynstr();
    writer.reserve_null_dynamic_symbol_index();
    let names: Vec<_> = exports.iter().map(|export| name(&mut writer, export)).collect();
    writer.reserve_file_header();
    writer.reserve_program_headers(SEGMENTS);
    let distance = writer.reserve(size_of::<u64>(), align_of::<u64>()) as u64;
    let relocation = writer.reserve_relocations(1, true) as u64;
    let symbols = writer.reserve_dynsym() as u64;
    let image = writer.reserve(initial.len(), align.max(8) as usize);
    let hash = writer.reserve_hash(buckets, chains) as u64;
    let dynamic = writer.reserve_dynamic(ENTRIES) as u64;
    let strings = writer.reserve_dynstr() as u64;
    let end = writer.reserved_len() as u64;

    writer.write_file_header(&header()).expect("a header that ELF has room for");
    let locals_kind = if block.is_some() { elf::PT_TLS } else { elf::PT_NULL };
    let writable = elf::PF_R | elf::PF_W;
    for header in [
        segment(elf::PT_LOAD, writable, 0, end, PAGE),
        segment(elf::PT_DYNAMIC, writable, dynamic, strings - dynamic, 8),
        segment(locals_kind, elf::PF_R, image as u64, initial.len() as u64, align),
    ] {
        writer.write_program_header(&header);
    }
    writer.pad_until(relocation as usize);
    let r_type = native::THREAD_DISTANCE;
    writer.write_relocation(true, &Rel { r_offset: distance, r_sym: 0, r_type, r_addend: 0 });
    writer.write_null_dynamic_symbol();
    for (export, name) in exports.iter().zip(names) {
        writer.write_dynamic_symbol(&symbol(export, name));
    }
    writer.pad_until(image);
    writer.write(initial);
    let hash_of = |index: u32| Some(elf::hash(exports.get(index.checked_sub(1)? as usize)?.name));
    writer.write_hash(buckets, chains, hash_of);
    writer.write_align_dynamic();
    let is_fixed = block.is_some_and(|(_, is_fixed)| is_fixed);
    let relocated = if is_fixed { RELOCATION } else { 0 };
    for (tag, value) in [
        (elf::DT_HASH, hash),
        (elf::DT_STRTAB, strings),
        (elf::DT_STRSZ, end - strings),
        (elf::DT_SYMTAB, symbols),
        (elf::DT_SYMENT, size_of::<elf::Sym64<Endianness>>() as u64),
        (elf::DT_RELA, relocation),
        (elf::DT_RELASZ, relocated),
        (elf::DT_RELAENT, RELOCATION),
        (elf::DT_NULL, 0),
    ] {
        writer.write_dynamic(tag, value);
    }
    writer.write_dynstr();
    (bytes, distance)
}

fn name<'a>(writer: &mut Writer<'a>, export: &Export<'a>) -> StringId {
    writer.reserve_dynamic_symbol_index();
    writer.add_dynamic_string(export.name)
}

fn header() -> FileHeader {
    FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_DYN,
        e_machine: Isa::NATIVE.machine,
        e_entry: 0,
        e_flags: 0,
    }
}

/// A segment whose bytes are in memory where they are in the file.
fn segment(kind: u32, flags: u32, at: u64, size: u64, align: u64) -> ProgramHeader {
    ProgramHeader {
        p_type: kind,
        p_flags: flags,
        p_offset: at,
        p_vaddr: at,
        p_paddr: at,
        p_filesz: size,
        p_memsz: size,
        p_align: align,
    }
}

fn symbol(export: &Export<'_>, name: StringId) -> Sym {
    let (kind, st_value) = match export.place {
        Exported::Function(address) => (elf::STT_FUNC, address.0),
        Exported::Data(address) => (elf::STT_OBJECT, address.0),
        Exported::ThreadLocal(offset) => (elf::STT_TLS, offset),
    };
    Sym {
        name: Some(name),
        section: None,
        st_info: elf::STB_GLOBAL << 4 | kind,
        st_other: elf::STV_DEFAULT,
        // No relative one: the dynamic linker adds nothing to its value.
        st_shndx: elf::SHN_ABS,
        st_value,
        st_size: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn exported_names_are_found() {
        let names: Vec<_> = (0..50).map(|n| format!("vmkit_exported_{n}")).collect();
        let exports = names.iter().enumerate().map(|(n, name)| {
            let address = Addr(0x1000 + n as u64);
            let kind = if n % 2 == 0 { Exported::Function } else { Exported::Data };
            Export { name: name.as_bytes(), place: kind(address) }
        });
        export(exports.collect()).unwrap();
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

    fn block<'a>(initial: &'a [u8], align: u64, names: &'a [(Name, u64)]) -> Block<'a> {
        Block { initial, align, names }
    }

    /// This thread's copy of a variable of that name.
    fn copy(name: &CStr) -> *mut u8 {
        // SAFETY: a C string.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).cast() }
    }

    #[test]
    fn thread_locals_are_at_one_distance() {
        let names = [(Name::from("vmkit_fixed"), 2)];
        let distance = fix_thread_locals(&block(&[1, 2, 3, 4, 5], 32, &names)).unwrap();
        let place = move || host::thread_pointer().wrapping_add_signed(distance) as *mut [u8; 5];
        // SAFETY: this thread's copy.
        let here = unsafe {
            (*place())[1] = 7;
            *place()
        };
        assert_eq!(copy(c"vmkit_fixed") as u64, place() as u64 + 2);
        // SAFETY: that thread's.
        let there = std::thread::spawn(move || unsafe { (place() as u64 % 32, *place()) });
        assert_ne!(fix_thread_locals(&block(&[6], 1, &[])).unwrap(), distance);
        assert_eq!(here, [1, 7, 3, 4, 5]);
        assert_eq!(there.join().unwrap(), (0, [1, 2, 3, 4, 5]));
        assert!(fix_thread_locals(&block(&[0; 1 << 20], 8, &[])).is_err());
    }

    #[test]
    fn large_blocks_are_shared_by_name() {
        let mut initial = vec![0; 1 << 20];
        initial[1 << 19] = 9;
        let names = [(Name::from("vmkit_shared"), 1 << 19), (Name::from("vmkit_shared_start"), 0)];
        assert_ne!(share_thread_locals(&block(&initial, 64, &names)).unwrap(), 0);
        let check = || {
            let (place, start) = (copy(c"vmkit_shared"), copy(c"vmkit_shared_start"));
            assert_eq!((start as u64 % 64, place as u64 - start as u64), (0, 1 << 19));
            // SAFETY: this thread's copy.
            unsafe { (place.replace(8), place as u64) }
        };
        let (value, here) = check();
        let (there_value, there) = std::thread::spawn(check).join().unwrap();
        assert_eq!((value, there_value), (9, 9));
        assert_ne!(here, there);
    }
}
