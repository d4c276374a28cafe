//! Thread-local storage of linked code: the general-dynamic model of the ELF TLS ABI.
//!
//! Code passes the address of a pair {module, offset} to `__tls_get_addr`. In a pair of ours the
//! module is the address of an [`Image`] with the top bit set, which no module number of the
//! system's has; each thread gets its copy of the image when it first asks.
//!
//! Objects compiled for an executable take their variables to be at fixed distances from the thread
//! pointer. Images that they name so are fixed before anybody has a copy: then the system makes them.
#![expect(unsafe_code, reason = "called from linked code; keeps blocks in a pthread key")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::host;
use crate::symbol::Addr;

use super::shared_object::fix_thread_locals;

/// The top bit: set in our pairs.
const OURS: u64 = 1 << 63;

/// One session's thread-local variables.
pub(crate) struct ThreadLocals {
    /// Made when it is first needed: a process has few.
    key: Mutex<Option<libc::pthread_key_t>>,
    next: AtomicU32,
}

/// The initial value of a block of thread-local variables; lives as long as the process.
struct Image {
    key: libc::pthread_key_t,
    index: u32,
    align: usize,
    size: usize,
    /// The linked initial bytes.
    bytes: Addr,
    /// From every thread's pointer to its copy; null if that is not fixed.
    distance: AtomicI64,
    /// Has a thread a copy at no fixed distance?
    is_used: AtomicBool,
}

/// A thread's blocks by image index.
struct Blocks {
    key: libc::pthread_key_t,
    at: Vec<*mut u8>,
    /// How often the thread's exit came by; the blocks go at the last round, after every
    /// destructor that might still use them.
    rounds: u32,
}

/// Rounds of key destructors that POSIX promises.
const ROUNDS: u32 = 4;

impl ThreadLocals {
    pub(crate) fn new() -> Self {
        Self { key: Mutex::default(), next: AtomicU32::new(0) }
    }

    fn key(&self) -> Result<libc::pthread_key_t> {
        let mut known = self.key.lock();
        if let Some(key) = *known {
            return Ok(key);
        }
        let mut key = 0;
        // SAFETY: the destructor has the signature asked for and frees only what we stored.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(free_blocks)) } != 0 {
            return Err(Error::other("no thread-specific data key left"));
        }
        Ok(*known.insert(key))
    }

    /// Declares a block of `size` bytes whose initial value lies at `bytes`, and gives the module
    /// word of its pairs.
    pub(crate) fn declare(&self, bytes: Addr, size: u64, align: u64) -> Result<u64> {
        let key = self.key()?;
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let (size, align) = (size as usize, align.max(16) as usize);
        let image = Box::new(Image {
            key,
            index,
            align,
            size,
            bytes,
            distance: AtomicI64::new(0),
            is_used: AtomicBool::new(false),
        });
        Ok(OURS | Box::leak(image) as *const Image as u64)
    }

    /// Fixes the distance from the thread pointer of the block with this module word, whose initial bytes
    /// are what they will be, and tells it.
    ///
    /// # Safety
    ///
    /// The word comes from [`ThreadLocals::declare`], or from the system.
    pub(crate) unsafe fn fix(&self, module: u64) -> Result<i64> {
        if module & OURS == 0 {
            return Err(Error::other("a library's variables are not at a fixed distance"));
        }
        // SAFETY: images are leaked, and `declare` made the word of the address of one.
        let image = unsafe { &*((module & !OURS) as *const Image) };
        let _one_at_a_time = self.key.lock();
        let known = image.distance.load(Ordering::Relaxed);
        if known != 0 {
            return Ok(known);
        }
        if image.is_used.load(Ordering::Relaxed) {
            return Err(Error::other("a thread has used it already, at no fixed distance"));
        }
        // SAFETY: linked bytes, as many.
        let bytes = unsafe { std::slice::from_raw_parts(image.bytes.0 as *const u8, image.size) };
        let distance = fix_thread_locals(bytes, image.align as u64)?;
        image.distance.store(distance, Ordering::Relaxed);
        Ok(distance)
    }
}

unsafe extern "C" {
    fn __tls_get_addr(pair: *const [u64; 2]) -> *mut u8;
}

/// What linked code gets as `__tls_get_addr`.
///
/// # Safety
///
/// `pair` was filled by the linker: a module of ours, or one of the system's.
pub(crate) unsafe extern "C" fn tls_get_addr(pair: *const [u64; 2]) -> *mut u8 {
    // SAFETY: the caller's promise.
    let [module, offset] = unsafe { *pair };
    if module & OURS == 0 {
        // SAFETY: a pair of the system's.
        return unsafe { __tls_get_addr(pair) };
    }
    // SAFETY: images are leaked, and their address was put in the pair by `declare`.
    let image = unsafe { &*((module & !OURS) as *const Image) };
    let distance = image.distance.load(Ordering::Relaxed);
    if distance != 0 {
        let block = host::thread_pointer().wrapping_add_signed(distance) as *mut u8;
        return block.wrapping_add(offset as usize);
    }
    // SAFETY: the key holds null or a `Blocks` of this thread.
    let blocks = unsafe { libc::pthread_getspecific(image.key).cast::<Blocks>() };
    // SAFETY: no reference to the blocks lives longer than this call.
    let known = unsafe { blocks.as_ref() }.and_then(|b| b.at.get(image.index as usize).copied());
    let block = match known {
        Some(block) if !block.is_null() => block,
        // SAFETY: as above.
        _ => unsafe { first_use(image, blocks) },
    };
    block.wrapping_add(offset as usize)
}

/// # Safety
///
/// `blocks` is what this thread's key holds.
#[cold]
unsafe fn first_use(image: &Image, mut blocks: *mut Blocks) -> *mut u8 {
    if blocks.is_null() {
        blocks = Box::into_raw(Box::new(Blocks { key: image.key, at: Vec::new(), rounds: 0 }));
        // SAFETY: the key is live as long as the session.
        unsafe { libc::pthread_setspecific(image.key, blocks.cast()) };
    }
    // SAFETY: non-null, this thread's, and borrowed here only.
    let at = unsafe { &mut (*blocks).at };
    if at.len() <= image.index as usize {
        at.resize(image.index as usize + 1, std::ptr::null_mut());
    }
    image.is_used.store(true, Ordering::Relaxed);
    let mut block = std::ptr::null_mut();
    // SAFETY: the image's bytes are linked, `size` long, and the block is as large.
    unsafe {
        if libc::posix_memalign(&raw mut block, image.align, image.size.max(1)) != 0 {
            libc::abort();
        }
        std::ptr::copy_nonoverlapping(image.bytes.0 as *const u8, block.cast(), image.size);
    }
    at[image.index as usize] = block.cast();
    block.cast()
}

/// # Safety
///
/// Called by the system at a thread's end, with what the key held.
unsafe extern "C" fn free_blocks(blocks: *mut c_void) {
    let blocks = blocks.cast::<Blocks>();
    // SAFETY: ours, and this thread's alone.
    let state = unsafe { &mut *blocks };
    state.rounds += 1;
    if state.rounds < ROUNDS {
        // SAFETY: storing the value again asks for another round.
        unsafe { libc::pthread_setspecific(state.key, blocks.cast()) };
        return;
    }
    // SAFETY: the last round: nobody asks any more.
    let state = unsafe { Box::from_raw(blocks) };
    for block in state.at {
        // SAFETY: null, or from posix_memalign.
        unsafe { libc::free(block.cast()) };
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    static INITIAL: [u8; 40] = [7; 40];

    fn pair(module: u64, offset: u64) -> [u64; 2] {
        [module, offset]
    }

    /// This thread's copy of a byte.
    fn byte(pair: &[u64; 2]) -> *mut u8 {
        // SAFETY: the pairs below are of declared modules, whose initial bytes live for ever.
        unsafe { tls_get_addr(pair) }
    }

    fn read(pair: &[u64; 2]) -> u8 {
        // SAFETY: as above; the offset lies within the declared size.
        unsafe { byte(pair).read() }
    }

    #[test]
    fn each_thread_has_a_copy_of_its_own() {
        let locals = ThreadLocals::new();
        let initial = Addr(INITIAL.as_ptr() as u64);
        let first = locals.declare(initial, 40, 64).unwrap();
        let second = locals.declare(initial, 40, 1).unwrap();
        assert!(first != second && first & OURS != 0);
        let place = pair(first, 39);
        assert_eq!((byte(&pair(first, 0)) as u64 % 64, read(&place)), (0, 7));
        // SAFETY: this thread's own byte.
        unsafe { byte(&place).write(1) };
        let elsewhere = thread::spawn(move || (read(&place), byte(&place) as u64));
        let (value, address) = elsewhere.join().unwrap();
        assert_eq!((value, read(&place), read(&pair(second, 39))), (7, 1, 7));
        assert_ne!(address, byte(&place) as u64);
        assert_eq!(byte(&place), byte(&place));
    }

    #[test]
    fn fixed_blocks_are_found_by_both_ways() {
        let locals = ThreadLocals::new();
        let module = locals.declare(Addr(INITIAL.as_ptr() as u64), 40, 16).unwrap();
        // SAFETY: a word that was declared.
        let fix = |module| unsafe { locals.fix(module) };
        let distance = fix(module).unwrap();
        assert_eq!(fix(module).unwrap(), distance);
        let expected = move || host::thread_pointer().wrapping_add_signed(distance) + 3;
        let place = pair(module, 3);
        let check = move || assert_eq!((byte(&place) as u64, read(&place)), (expected(), 7));
        check();
        thread::spawn(check).join().unwrap();
        let used = locals.declare(Addr(INITIAL.as_ptr() as u64), 40, 16).unwrap();
        assert_eq!(read(&pair(used, 0)), 7);
        assert!(fix(used).is_err() && fix(1).is_err());
    }

    #[test]
    fn others_pairs_are_the_systems() {
        // SAFETY: the first module with thread-local variables is the executable or the C library.
        let expected = unsafe { __tls_get_addr(&pair(1, 0)) };
        assert_eq!(byte(&pair(1, 0)), expected);
    }
}
