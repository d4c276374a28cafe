//! `dl_iterate_phdr`, which begins with the program: garbage collectors look there for what may hold
//! references, and runtimes for what an address belongs to.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use libc::{Elf64_Phdr, PF_R, PF_W, PF_X, PT_LOAD, dl_phdr_info};
use vmkit::{Addr, Session};

use super::SESSION;

type Visit = unsafe extern "C-unwind" fn(*mut dl_phdr_info, usize, *mut c_void) -> c_int;

unsafe extern "C-unwind" {
    fn dl_iterate_phdr(visit: Visit, data: *mut c_void) -> c_int;
}

/// # Safety
///
/// The arguments are those of `dl_iterate_phdr`.
pub(super) unsafe extern "C-unwind" fn iterate(visit: Visit, data: *mut c_void) -> c_int {
    // SAFETY: the caller's function, told of an image as the dynamic linker tells of one.
    unsafe {
        if let Some((mut image, size)) = program() {
            let result = visit(&raw mut image, size, data);
            if result != 0 {
                return result;
            }
        }
        dl_iterate_phdr(visit, data)
    }
}

/// The program as an image, and the size of what says so.
fn program() -> Option<(dl_phdr_info, usize)> {
    let (session, _) = SESSION.get()?;
    let mut first: Option<(dl_phdr_info, usize)> = None;
    // SAFETY: `first` is what the function takes it for. Of the image that comes first, only how often
    // images came and went stays.
    unsafe { dl_iterate_phdr(keep, (&raw mut first).cast()) };
    let (mut image, size) = first?;
    let segments = segments(session);
    image.dlpi_addr = 0;
    image.dlpi_name = c"".as_ptr();
    image.dlpi_phdr = segments.as_ptr();
    image.dlpi_phnum = segments.len() as u16;
    (image.dlpi_tls_modid, image.dlpi_tls_data) = (0, std::ptr::null_mut());
    Some((image, size))
}

/// Keeps a copy of what is told, and asks for no more.
unsafe extern "C-unwind" fn keep(image: *mut dl_phdr_info, size: usize, to: *mut c_void) -> c_int {
    // SAFETY: `program` hands in its variable, and the dynamic linker an image.
    unsafe { *to.cast::<Option<(dl_phdr_info, usize)>>() = Some((*image, size)) };
    1
}

/// How far beyond the variables that are linked the segment with them goes, in bytes, for those that ask only
/// when they start: others will follow there. Nothing but zeros is there before.
const ROOM: u64 = 4 << 20;

/// A part of the program, and what may be done there.
type Part = (Range<Addr>, u32);

/// Where the program's code and data lie by now, there for ever.
fn segments(session: &Session) -> &'static [Elf64_Phdr] {
    static LAST: Mutex<(Vec<Part>, &[Elf64_Phdr])> = Mutex::new((Vec::new(), &[]));
    let layout = session.layout();
    let mut parts: Vec<Part> = vec![(layout.code, PF_R | PF_X), (layout.read_only, PF_R)];
    parts.extend(session.variables().into_iter().map(|range| (range, PF_R | PF_W)));
    if let Some((near, _)) = parts.iter_mut().find(|(range, _)| range.start == layout.data.start) {
        near.end = near.end.offset(ROOM as i64).min(layout.data.end);
    }
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.0 != parts {
        let headers: Vec<_> = parts.iter().map(header).collect();
        *last = (parts, headers.leak());
    }
    last.1
}

fn header((range, flags): &Part) -> Elf64_Phdr {
    let size = range.end.0 - range.start.0;
    Elf64_Phdr {
        p_type: PT_LOAD,
        p_flags: *flags,
        p_offset: 0,
        p_vaddr: range.start.0,
        p_paddr: range.start.0,
        p_filesz: size,
        p_memsz: size,
        p_align: 4096,
    }
}
