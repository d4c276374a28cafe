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

use object::write::StringId;
use object::write::elf::{FileHeader, ProgramHeader, Rel, Sym, Writer};
use object::{Endianness, elf};

use crate::error::{Error, Kind, Result};
use crate::symbol::Addr;
use crate::target::{Isa, native};

use super::extent::link_map;
use super::loaded::open;

/// Pages are no larger than this.
const PAGE: u64 = 1 << 16;
const SEGMENTS: u32 = 3;
/// Entries of the dynamic section.
const ENTRIES: usize = 9;
/// Bytes of a relocation.
const RELOCATION: u64 = size_of::<elf::Rela64<Endianness>>() as u64;

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
    load(&bytes(exports, None).0, libc::RTLD_GLOBAL).map(drop)
}

/// Gives every thread, those that there are and those to come, a copy of the variables `initial` at one
/// distance from its thread pointer, which it tells.
pub(crate) fn fix_thread_locals(initial: &[u8], align: u64) -> Result<i64> {
    let (bytes, distance) = bytes(&[], Some((initial, align)));
    let base = load(&bytes, libc::RTLD_LOCAL).map_err(|_| {
        let what = "the system has no room left for variables at fixed distances";
        Error::other(format!("{what} ({} bytes, aligned to {align})", initial.len()))
    })?;
    // SAFETY: the word of the object that the dynamic linker filled in.
    Ok(unsafe { *((base + distance) as *const i64) })
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

/// The bytes of a shared object; and where the word is in it that is to hold the distance of the
/// thread-local variables.
fn bytes(exports: &[Export<'_>], thread_locals: Option<(&[u8], u64)>) -> (Vec<u8>, u64) {
    let (initial, align) = thread_locals.unwrap_or((&[], 1));
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
    let locals_kind = if thread_locals.is_some() { elf::PT_TLS } else { elf::PT_NULL };
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
    let relocated = if thread_locals.is_some() { RELOCATION } else { 0 };
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
    let kind = if export.is_function { elf::STT_FUNC } else { elf::STT_OBJECT };
    Sym {
        name: Some(name),
        section: None,
        st_info: elf::STB_GLOBAL << 4 | kind,
        st_other: elf::STV_DEFAULT,
        // No relative one: the dynamic linker adds nothing to its value.
        st_shndx: elf::SHN_ABS,
        st_value: export.address.0,
        st_size: 0,
    }
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
