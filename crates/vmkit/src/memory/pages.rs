//! The pages behind the range: a memory object with two views, and private pages.
#![expect(unsafe_code, reason = "mmap and its like")]

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::ptr;

use crate::error::{Error, Result};

/// Low addresses that are tried for the range: there, 32-bit absolute relocations (objects that
/// were compiled for a fixed address) fit too.
const LOW: std::ops::Range<u64> = (16 << 20)..(1 << 31);
const PAGE: u64 = 4096;
const TRIES: u64 = 32;

/// The mapped range and its writable view.
pub(super) struct Reservation {
    base: u64,
    size: u64,
    /// Bytes from `base` that lie in the memory object.
    shared: u64,
    /// Bytes from `base` that may be executed.
    executable: u64,
    /// The writable view of the memory object.
    view: *mut u8,
}

// SAFETY: the views are plain memory; who may write where is decided by `Memory`'s allocator.
unsafe impl Send for Reservation {}
// SAFETY: as above.
unsafe impl Sync for Reservation {}

impl Reservation {
    pub(super) fn new(size: u64, shared: u64, executable: u64) -> Result<Self> {
        let base = reserve(size)?;
        // SAFETY: a fresh mapping wherever the system likes.
        let view = unsafe { map(0, shared, libc::PROT_NONE, RESERVE, -1, 0)? };
        let range = Self { base, size, shared, executable, view: view as *mut u8 };
        range.map_object(&range.new_object()?)?;
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the pages were reserved above for this.
        unsafe { map(base + shared, size - shared, writable, RESERVE | libc::MAP_FIXED, -1, 0)? };
        Ok(range)
    }

    pub(super) fn base(&self) -> u64 {
        self.base
    }

    pub(super) fn contains(&self, addr: u64) -> bool {
        addr.wrapping_sub(self.base) < self.size
    }

    /// Where to write what is at `addr`.
    pub(super) fn writable(&self, addr: u64) -> *mut u8 {
        let offset = addr - self.base;
        if offset < self.shared {
            self.view.wrapping_add(usize::try_from(offset).expect("64-bit"))
        } else {
            ptr::with_exposed_provenance_mut(usize::try_from(addr).expect("64-bit"))
        }
    }

    /// A memory object of the right size, all zero. It has a file descriptor only while it is
    /// being mapped, so that programs see the numbers they expect.
    pub(super) fn new_object(&self) -> Result<File> {
        // SAFETY: the name is a C string; the descriptor is ours.
        let fd = unsafe { libc::memfd_create(c"vmkit".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(Error::system("memfd_create"));
        }
        // SAFETY: just created, owned by nobody else.
        let file = unsafe { File::from_raw_fd(fd) };
        file.set_len(self.shared).map_err(|_| Error::system("ftruncate"))?;
        Ok(file)
    }

    /// Maps both views of `object` over what is there.
    pub(super) fn map_object(&self, object: &File) -> Result<()> {
        let fd = object.as_raw_fd();
        let flags = libc::MAP_SHARED | libc::MAP_FIXED | libc::MAP_NORESERVE;
        let (code, constants) = (libc::PROT_READ | libc::PROT_EXEC, libc::PROT_READ);
        let rest = self.shared - self.executable;
        // SAFETY: all three lie in mappings of this reservation, made for this.
        unsafe {
            map(self.base, self.executable, code, flags, fd, 0)?;
            map(self.base + self.executable, rest, constants, flags, fd, self.executable)?;
            let view = self.view as u64;
            map(view, self.shared, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0)?;
        }
        Ok(())
    }

    /// Writes `size` bytes from `addr` on to the same place in `object`.
    pub(super) fn copy_out(&self, object: &File, addr: u64, size: u64) -> Result<()> {
        let size = usize::try_from(size).expect("64-bit");
        // SAFETY: the bytes are mapped, in the shared part, and no one publishes meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(self.writable(addr), size) };
        object
            .write_all_at(bytes, addr - self.base)
            .map_err(|e| Error::other(format!("copying code memory: {e}")))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: both mappings are ours; whoever drops the session has promised that no code of
        // it runs any more.
        unsafe {
            libc::munmap(self.base as *mut _, self.size as usize);
            libc::munmap(self.view.cast(), self.shared as usize);
        }
    }
}

const RESERVE: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

/// Reserves `size` bytes, in the low 2 GiB if there is room.
fn reserve(size: u64) -> Result<u64> {
    let room = LOW.end - LOW.start - size;
    for attempt in 0..TRIES {
        let offset = random().wrapping_add(attempt * 37 * PAGE) % room;
        let hint = (LOW.start + offset) & !(PAGE - 1);
        let flags = RESERVE | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: MAP_FIXED_NOREPLACE touches no existing mapping.
        match unsafe { map(hint, size, libc::PROT_NONE, flags, -1, 0) } {
            Ok(base) if base == hint => return Ok(base),
            // An old kernel took the hint as a hint: give it back.
            // SAFETY: the mapping was made just now.
            Ok(other) => unsafe {
                libc::munmap(other as *mut _, size as usize);
            },
            Err(_) => {}
        }
    }
    // SAFETY: a fresh mapping wherever the system likes.
    unsafe { map(0, size, libc::PROT_NONE, RESERVE, -1, 0) }
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
        return Err(Error::system("mmap"));
    }
    Ok(got as u64)
}
