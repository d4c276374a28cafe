//! Thread-local storage of linked code: the general-dynamic model of the ELF TLS ABI.
//!
//! Code passes the address of a pair {module, offset} to `__tls_get_addr`. In a pair of ours the
//! module is the address of an [`Image`] with the top bit set, which no module number of the
//! system's has; each thread gets its copy of the image when it first asks.
//!
//! Objects compiled for an executable take their variables to be at fixed distances from the thread
//! pointer, and libraries know no pairs but the system's. Images that they name are given to the system
//! before anybody has a copy: then the system makes the copies.
#![expect(unsafe_code, reason = "called from linked code; keeps blocks in a pthread key")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::host;
use crate::symbol::{Addr, Name};

use super::shared_object::{Block, fix_thread_locals, share_thread_locals};

/// The top bit: set in our pairs.
const OURS: u64 = 1 << 63;
/// Nobody has a copy of an image yet.
const UNUSED: u64 = 0;
/// Threads have copies of an image that were made here.
const USED: u64 = u64::MAX;
/// The system makes the copies, at a fixed distance: no module number.
const FIXED: u64 = u64::MAX - 1;

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
    /// What libraries call the variables in it, and their offsets.
    names: Mutex<Vec<(Name, u64)>>,
    /// Who makes the copies: nobody has yet, this session, or the system, under this module number. Once
    /// the system does, the fields below say where they are.
    home: AtomicU64,
    /// Where it begins in the system's block.
    start: AtomicU64,
    /// From every thread's pointer to its copy, if that is fixed.
    distance: AtomicI64,
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
            names: Mutex::default(),
            home: AtomicU64::new(UNUSED),
            start: AtomicU64::new(0),
            distance: AtomicI64::new(0),
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
        // SAFETY: the caller's promise.
        let image = unsafe { image(module) };
        let image = image
            .ok_or_else(|| Error::other("a library's variables are not at a fixed distance"))?;
        let _one_at_a_time = self.key.lock();
        match image.home.load(Ordering::Acquire) {
            FIXED => return Ok(image.distance.load(Ordering::Relaxed)),
            UNUSED => {}
            USED => return Err(Error::other("a thread has used it already, at no fixed distance")),
            _ => return Err(Error::other("libraries have it at no fixed distance")),
        }
        let (names, align) = (image.names.lock(), image.align as u64);
        let distance =
            fix_thread_locals(&Block { initial: image.initial(), align, names: &names })?;
        image.distance.store(distance, Ordering::Relaxed);
        image.give(FIXED)?;
        Ok(distance)
    }

    /// Notes that libraries know the variable at `offset` of the block with this module word as `name`,
    /// once they share it.
    ///
    /// # Safety
    ///
    /// The word comes from [`ThreadLocals::declare`].
    pub(crate) unsafe fn name(&self, module: u64, name: Name, offset: u64) {
        // SAFETY: the caller's promise.
        if let Some(image) = unsafe { image(module) } {
            image.names.lock().push((name, offset));
        }
    }

    /// Has libraries that are loaded from now on share the blocks with these module words, under the names
    /// that were noted. Those of which a thread has a copy remain as they are; says whether there are such.
    ///
    /// # Safety
    ///
    /// The words come from [`ThreadLocals::declare`], or from the system. The blocks' initial bytes are
    /// what they will be.
    pub(crate) unsafe fn share(&self, modules: impl Iterator<Item = u64>) -> Result<bool> {
        // SAFETY: the caller's promise.
        let mut images: Vec<_> = modules.filter_map(|module| unsafe { image(module) }).collect();
        images.sort_unstable_by_key(|image| image.index);
        images.dedup_by_key(|image| image.index);
        let _one_at_a_time = self.key.lock();
        let home = |image: &&Image| image.home.load(Ordering::Acquire);
        let is_any_used = images.iter().any(|image| home(image) == USED);
        images.retain(|image| home(image) == UNUSED);
        if images.is_empty() {
            return Ok(is_any_used);
        }
        let (mut initial, mut align, mut names) = (Vec::new(), 1, Vec::new());
        for image in &images {
            let start = initial.len().next_multiple_of(image.align);
            initial.resize(start, 0);
            initial.extend_from_slice(image.initial());
            align = align.max(image.align as u64);
            image.start.store(start as u64, Ordering::Relaxed);
            let own = image.names.lock();
            names.extend(own.iter().map(|(name, at)| (name.clone(), start as u64 + at)));
        }
        let module = share_thread_locals(&Block { initial: &initial, align, names: &names })?;
        images.iter().try_for_each(|image| image.give(module)).map(|()| is_any_used)
    }
}

impl Image {
    /// The initial value, which was linked.
    fn initial(&self) -> &[u8] {
        // SAFETY: linked bytes, as many, that stay.
        unsafe { std::slice::from_raw_parts(self.bytes.0 as *const u8, self.size) }
    }

    /// Has the system make the copies from now on.
    fn give(&self, home: u64) -> Result<()> {
        let given =
            self.home.compare_exchange(UNUSED, home, Ordering::AcqRel, Ordering::Acquire).map(drop);
        given.map_err(|_| Error::other("a thread used a thread-local variable meanwhile"))
    }

    /// This thread's copy, which the system has made or makes.
    fn of_the_system(&self, home: u64) -> *mut u8 {
        if home == FIXED {
            let distance = self.distance.load(Ordering::Relaxed);
            return host::thread_pointer().wrapping_add_signed(distance) as *mut u8;
        }
        // SAFETY: a module number that the dynamic linker gave, and an offset in its block.
        unsafe { __tls_get_addr(&[home, self.start.load(Ordering::Relaxed)]) }
    }
}

/// The image that a module word is of, if it is one of ours.
///
/// # Safety
///
/// The word comes from [`ThreadLocals::declare`], or from the system.
unsafe fn image<'a>(module: u64) -> Option<&'a Image> {
    // SAFETY: images are leaked, and `declare` made the word of the address of one.
    (module & OURS != 0).then(|| unsafe { &*((module & !OURS) as *const Image) })
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
    // SAFETY: as above.
    let Some(image) = (unsafe { image(module) }) else {
        // SAFETY: a pair of the system's.
        return unsafe { __tls_get_addr(pair) };
    };
    let home = image.home.load(Ordering::Acquire);
    if home != USED && home != UNUSED {
        return image.of_the_system(home).wrapping_add(offset as usize);
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
    let home = &image.home;
    match home.compare_exchange(UNUSED, USED, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) | Err(USED) => {}
        Err(home) => return image.of_the_system(home),
    }
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
    fn shared_blocks_are_found_by_name() {
        let locals = ThreadLocals::new();
        let initial = Addr(INITIAL.as_ptr() as u64);
        let declare = |align| locals.declare(initial, 40, align).unwrap();
        let (first, second, used) = (declare(16), declare(128), declare(16));
        assert_eq!(read(&pair(used, 0)), 7);
        // SAFETY: words that were declared, of bytes that do not change.
        let share = |modules: &[u64]| unsafe {
            locals.name(second, Name::from("vmkit_shared_second"), 5);
            locals.name(used, Name::from("vmkit_shared_used"), 5);
            locals.share(modules.iter().copied()).unwrap()
        };
        assert!(!share(&[second, first, second]));
        assert!(share(&[first, used]));
        let check = move || {
            let found = |name: &std::ffi::CStr| {
                // SAFETY: a C string.
                unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).cast() }
            };
            let place = pair(second, 5);
            assert_eq!((byte(&place), read(&place)), (found(c"vmkit_shared_second"), 7));
            assert_eq!((read(&pair(first, 39)), byte(&pair(second, 0)) as u64 % 128), (7, 0));
            assert!(found(c"vmkit_shared_used").is_null());
            byte(&place) as u64
        };
        assert_ne!(check(), thread::spawn(check).join().unwrap());
        // SAFETY: as above.
        assert!(unsafe { locals.fix(second) }.is_err());
    }

    #[test]
    fn others_pairs_are_the_systems() {
        // SAFETY: the first module with thread-local variables is the executable or the C library.
        let expected = unsafe { __tls_get_addr(&pair(1, 0)) };
        assert_eq!(byte(&pair(1, 0)), expected);
    }
}
