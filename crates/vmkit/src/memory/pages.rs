//! The pages behind the range: a memory object with two views, and private pages.
#![expect(unsafe_code, reason = "mmap and its like")]

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::mirror;
use crate::error::{Error, Kind, Result};
use crate::host;
use crate::symbol::Addr;

/// Low addresses that are tried for the range: there, 32-bit absolute relocations (objects that
/// were compiled for a fixed address) fit too.
const LOW: Range<u64> = (16 << 20)..(1 << 31);
const PAGE: u64 = 4096;
const TRIES: u64 = 32;
/// Bytes of them that ranges have.
static LOW_TAKEN: AtomicU64 = AtomicU64::new(0);

/// The mapped range and its writable view.
pub(super) struct Reservation {
    range: Mapping,
    /// Bytes from `base` that lie in the memory object.
    shared: u64,
    /// Bytes from `base` that may be executed.
    executable: u64,
    /// The writable view of the memory object: the object's own mapping, at first.
    view: Mapping,
    /// Whether code runs from private pages rather than from the memory object.
    is_mirrored: bool,
}

/// A memory object: shared pages, all zero at first. It lives on in the views made of it.
///
/// A segment of System V shared memory that is removed at once, so that it takes no file descriptor
/// (programs see the numbers they expect), that `perf` looks for its functions in a perf map (code in
/// a named object it takes for a file's), and that no file is named in `/proc/self/maps`: where it says
/// `/dev/zero`, as of shared anonymous pages, programs that look for the file they run from (libffi, to
/// map its code once more) get nothing but zeros. Where there are no segments to be had it is anonymous;
/// where pages cannot be mapped once more without a file (qemu's emulation of the system), it is one.
pub(crate) struct Object {
    mapping: Mapping,
    file: Option<File>,
}

/// Pages that are unmapped with this. Of a range, whoever drops it has promised that no code of it runs any more.
struct Mapping {
    at: u64,
    size: u64,
}

impl Reservation {
    pub(super) fn new(size: u64, shared: u64, executable: u64, is_mirrored: bool) -> Result<Self> {
        let range = reserve(size)?;
        let object = Object::new(shared)?;
        let base = range.at;
        // SAFETY: the pages were reserved above for this.
        unsafe {
            object.map_at(base, executable, is_mirrored)?;
            if is_mirrored {
                map(base, executable, EXECUTABLE, RESERVE | libc::MAP_FIXED, -1, 0)?;
            }
            map(base + shared, size - shared, WRITABLE, RESERVE | libc::MAP_FIXED, -1, 0)?;
        }
        let range = Self { range, shared, executable, view: object.mapping, is_mirrored };
        if range.is_low() {
            LOW_TAKEN.fetch_add(size, Ordering::Relaxed);
        }
        Ok(range)
    }

    pub(super) fn base(&self) -> u64 {
        self.range.at
    }

    pub(super) fn size(&self) -> u64 {
        self.range.size
    }

    fn is_low(&self) -> bool {
        LOW.contains(&self.base())
    }

    pub(super) fn contains(&self, addr: u64) -> bool {
        addr.wrapping_sub(self.base()) < self.size()
    }

    /// Where to write what is at `addr`.
    pub(super) fn writable(&self, addr: u64) -> *mut u8 {
        let offset = addr - self.base();
        let at = if offset < self.shared { self.view.at + offset } else { addr };
        ptr::with_exposed_provenance_mut(usize::try_from(at).expect("64-bit"))
    }

    /// Another object of the right size.
    pub(super) fn new_object(&self) -> Result<Object> {
        Object::new(self.shared)
    }

    /// Puts both views of `object` over what is there.
    pub(super) fn map_object(&self, object: &Object) -> Result<()> {
        // SAFETY: both lie in mappings of this reservation, made for this.
        unsafe {
            object.map_at(self.base(), self.executable, self.is_mirrored)?;
            object.view(0, self.shared, self.view.at, WRITABLE)
        }
    }

    /// Makes `size` bytes from `addr` on, as written through the view, what runs there.
    pub(super) fn sync(&self, addr: u64, size: u64) -> Result<()> {
        let offset = addr.wrapping_sub(self.base());
        if offset >= self.executable {
            return Ok(());
        }
        if self.is_mirrored {
            // SAFETY: a block of this range, whose code lies in private pages.
            unsafe { mirror::copy(self.writable(addr), addr, size as usize)? };
        }
        host::flush(Addr(addr), size);
        Ok(())
    }

    /// Writes `size` bytes from `addr` on to the same place in `object`.
    pub(super) fn copy_out(&self, object: &Object, addr: u64, size: u64) {
        let offset = addr - self.base();
        assert!(offset + size <= self.shared, "only the shared part is copied");
        // SAFETY: the bytes are mapped, in the shared part, and no one publishes meanwhile; the
        // object is of the same size, and not mapped elsewhere yet.
        unsafe {
            let to = ptr::with_exposed_provenance_mut((object.mapping.at + offset) as usize);
            ptr::copy_nonoverlapping(self.writable(addr), to, size as usize);
        }
    }
}

impl Object {
    fn new(size: u64) -> Result<Self> {
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
        let mapping = match segment(size) {
            Some(mapping) => mapping,
            None => Mapping::new(size, WRITABLE, flags | libc::MAP_ANONYMOUS)?,
        };
        let object = Self { mapping, file: None };
        if object.can_be_viewed() {
            return Ok(object);
        }
        let file = host::memory_file()?;
        let cannot = |error| Kind::Map { size: size as usize, error };
        file.set_len(size).map_err(cannot)?;
        // SAFETY: a fresh mapping wherever the system likes.
        let at = unsafe { map(0, size, WRITABLE, flags, file.as_raw_fd(), 0)? };
        Ok(Self { mapping: Mapping { at, size }, file: Some(file) })
    }

    /// Makes all of it visible at `base` as well, to be read; the first `executable` bytes to be run, unless
    /// code runs from other pages.
    ///
    /// # Safety
    ///
    /// The pages there must belong to the caller.
    unsafe fn map_at(&self, base: u64, executable: u64, is_mirrored: bool) -> Result<()> {
        let start = if is_mirrored { executable } else { 0 };
        // SAFETY: the caller's promise.
        unsafe {
            self.view(start, self.mapping.size - start, base + start, libc::PROT_READ)?;
            if is_mirrored { Ok(()) } else { protect(base, executable, EXECUTABLE) }
        }
    }

    /// Does the system map pages once more that have no name?
    fn can_be_viewed(&self) -> bool {
        static CAN: OnceLock<bool> = OnceLock::new();
        *CAN.get_or_init(|| {
            // SAFETY: adds a mapping wherever the system likes, and takes it away again.
            unsafe {
                let (at, size) = (self.mapping.at as *mut libc::c_void, PAGE as usize);
                let view = libc::mremap(at, 0, size, libc::MREMAP_MAYMOVE);
                view != libc::MAP_FAILED && libc::munmap(view, size) == 0
            }
        })
    }

    /// Makes `size` bytes from `offset` on visible at `at` as well.
    ///
    /// # Safety
    ///
    /// The pages at `at` must belong to the caller.
    unsafe fn view(&self, offset: u64, size: u64, at: u64, prot: libc::c_int) -> Result<()> {
        if let Some(file) = &self.file {
            let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | libc::MAP_FIXED;
            // SAFETY: the caller's promise.
            return unsafe { map(at, size, prot, flags, file.as_raw_fd(), offset) }.map(drop);
        }
        let from = (self.mapping.at + offset) as *mut libc::c_void;
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        // SAFETY: the caller's promise. An old size of 0 adds a mapping of shared pages, and leaves
        // the old one as it is (mremap(2)).
        unsafe {
            if libc::mremap(from, 0, size as usize, flags, at as *mut libc::c_void)
                == libc::MAP_FAILED
            {
                return Err(Error::system("mremap"));
            }
            protect(at, size, prot)
        }
    }
}

impl Mapping {
    /// A fresh one, wherever the system likes.
    fn new(size: u64, prot: libc::c_int, flags: libc::c_int) -> Result<Self> {
        // SAFETY: nothing else is touched.
        let at = unsafe { map(0, size, prot, flags, -1, 0)? };
        Ok(Self { at, size })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it is ours; other views of the same pages are mappings of their own.
        unsafe { libc::munmap(self.at as *mut _, self.size as usize) };
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_low() {
            LOW_TAKEN.fetch_sub(self.size(), Ordering::Relaxed);
        }
    }
}

/// Private, writable pages anywhere.
pub(super) struct Pages {
    mapping: Mapping,
    start: u64,
}

impl Pages {
    /// At least `size` bytes, zero, from a multiple of `align` on.
    pub(super) fn new(size: u64, align: u64) -> Result<Self> {
        let bytes = size
            .checked_add(align)
            .ok_or_else(|| Error::other(format!("an object of {size:#x} bytes")))?;
        let mapping = Mapping::new(bytes, WRITABLE, RESERVE)?;
        let start = mapping.at.next_multiple_of(align.max(1));
        Ok(Self { mapping, start })
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// All of them.
    pub(super) fn range(&self) -> Range<Addr> {
        let Mapping { at, size } = self.mapping;
        Addr(at)..Addr(at + size)
    }
}

const EXECUTABLE: libc::c_int = libc::PROT_READ | libc::PROT_EXEC;
const WRITABLE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
const RESERVE: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

/// Reserves `size` bytes, in the low 2 GiB if there is room.
fn reserve(size: u64) -> Result<Mapping> {
    let room = LOW.end - LOW.start - size;
    let tries = if LOW_TAKEN.load(Ordering::Relaxed) > room { 0 } else { TRIES };
    for attempt in 0..tries {
        let offset = random().wrapping_add(attempt * 37 * PAGE) % room;
        let hint = (LOW.start + offset) & !(PAGE - 1);
        let flags = RESERVE | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: MAP_FIXED_NOREPLACE touches no existing mapping.
        let Ok(at) = (unsafe { map(hint, size, libc::PROT_NONE, flags, -1, 0) }) else { continue };
        // An old kernel takes the hint as a hint: that is given back.
        let mapping = Mapping { at, size };
        if at == hint {
            return Ok(mapping);
        }
    }
    Mapping::new(size, libc::PROT_NONE, RESERVE)
}

/// Maps a new segment of shared memory, which goes with its last mapping.
fn segment(size: u64) -> Option<Mapping> {
    let flags = libc::IPC_CREAT | libc::SHM_NORESERVE | 0o600;
    // SAFETY: makes a segment that nobody has, and maps it wherever the system likes.
    unsafe {
        let segment = libc::shmget(libc::IPC_PRIVATE, size as usize, flags);
        if segment < 0 {
            return None;
        }
        let at = libc::shmat(segment, ptr::null(), 0);
        libc::shmctl(segment, libc::IPC_RMID, ptr::null_mut());
        // `shmat` fails with -1, as `mmap` does.
        (at != libc::MAP_FAILED).then_some(Mapping { at: at as u64, size })
    }
}

/// # Safety
///
/// The pages must belong to the caller.
unsafe fn protect(at: u64, size: u64, prot: libc::c_int) -> Result<()> {
    // SAFETY: the caller's promise.
    match unsafe { libc::mprotect(at as *mut _, size as usize, prot) } {
        0 => Ok(()),
        _ => Err(Error::system("mprotect")),
    }
}

/// A number that differs from run to run, so that code does not lie where it always lies.
fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the buffer has eight bytes. A short read leaves zeros, which only costs variety.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) };
    u64::from_le_bytes(bytes)
}

/// # Safety
///
/// With `MAP_FIXED`, the pages must belong to the caller.
unsafe fn map(
    addr: u64,
    size: u64,
    prot: libc::c_int,
    flags: libc::c_int,
    fd: libc::c_int,
    offset: u64,
) -> Result<u64> {
    let (size, offset) = (size as usize, offset.cast_signed());
    // SAFETY: the caller's promise.
    let got = unsafe { libc::mmap(addr as *mut _, size, prot, flags, fd, offset) };
    if got == libc::MAP_FAILED {
        return Err(Kind::Map { size, error: std::io::Error::last_os_error() }.into());
    }
    Ok(got as u64)
}
