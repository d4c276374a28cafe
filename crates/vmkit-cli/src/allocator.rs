//! The one allocator of the process: for this program, for LLVM, and for the program that is run.
//!
//! It takes no locks. A signal may interrupt the program's `malloc`, and its handler call a
//! function for the first time: the compile thread that the handler then waits for allocates, and
//! must not wait for the program in turn.
//!
//! The dynamic linker finds the functions of the executable first, so that the libraries and the
//! C library itself allocate here too. C++'s operators stay the library's, which come here.
#![expect(unsafe_code, reason = "the C interface of an allocator")]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_int, c_long, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libmimalloc_sys as mi;

use crate::BAD_INPUT;
use crate::fresh::page_size;

/// Rust's side of it.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

// SAFETY: mimalloc gives blocks of the size and alignment asked for, and takes them back whole.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the layout's alignment is a power of two.
        unsafe { mi::mi_malloc_aligned(layout.size(), layout.align()).cast() }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`.
        unsafe { mi::mi_zalloc_aligned(layout.size(), layout.align()).cast() }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller's promise.
        unsafe { mi::mi_free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { mi::mi_realloc_aligned(block.cast(), size, layout.align()).cast() }
    }
}

/// Which of mimalloc's options says after how many milliseconds freed memory goes back to the system.
/// (`mimalloc.h`; the crate has no name for it.)
const PURGE_DELAY: mi::mi_option_t = 15;

/// For what frees much of what it allocates, and leaves the rest to stay.
pub(crate) const AT_ONCE: c_long = 0;
/// mimalloc's default: for what allocates again what it freed.
pub(crate) const SOON: c_long = 10;

/// Does something while freed memory goes back to the system after so many milliseconds.
pub(crate) fn with_purge_delay<T>(delay: c_long, work: impl FnOnce() -> T) -> T {
    // SAFETY: plain numbers, read by others at any time.
    let before = unsafe { mi::mi_option_get(PURGE_DELAY) };
    // SAFETY: as above.
    unsafe { mi::mi_option_set(PURGE_DELAY, delay) };
    let result = work();
    // SAFETY: as above.
    unsafe { mi::mi_option_set(PURGE_DELAY, before) };
    result
}

/// More bytes at once than any sound module has LLVM ask for.
const FAR_TOO_MUCH: usize = 1 << 30;

/// The most bytes that the C functions give at once.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Reads input, and has LLVM fail where it asks for far too much: of damaged bitcode it believes
/// every count, and then fills tens of gigabytes.
pub(crate) fn reading<T>(work: impl FnOnce() -> T) -> T {
    MOST.store(FAR_TOO_MUCH, Ordering::Relaxed);
    let result = work();
    MOST.store(usize::MAX, Ordering::Relaxed);
    result
}

/// What `allocate` gives for `size` bytes, if they may be had.
fn within(size: usize, allocate: impl FnOnce() -> *mut c_void) -> *mut c_void {
    let is_given = size <= MOST.load(Ordering::Relaxed);
    or_no_memory(if is_given { allocate() } else { std::ptr::null_mut() })
}

/// From here on, this thread's blocks lie where none lay before, or where the system has the pages
/// anew: a program that does not write what it reads first finds zeros, as it would by itself.
pub(crate) fn begin_anew() {
    // SAFETY: a heap of this thread's, for as long as it runs.
    unsafe { mi::mi_heap_set_default(mi::mi_heap_new()) };
}

/// A block without what the allocator itself wrote there.
fn cleared(block: *mut c_void) -> *mut c_void {
    if !block.is_null() {
        // SAFETY: a new block; mimalloc's smallest have a word, in which it links those that are free.
        unsafe { block.cast::<usize>().write(0) };
    }
    block
}

/// The C functions, by name: what the program means by them, unless it defines them itself.
pub(crate) fn functions() -> [(&'static str, *const ()); 10] {
    [
        ("malloc", malloc as *const ()),
        ("calloc", calloc as *const ()),
        ("realloc", realloc as *const ()),
        ("free", free as *const ()),
        ("memalign", memalign as *const ()),
        ("aligned_alloc", aligned_alloc as *const ()),
        ("posix_memalign", posix_memalign as *const ()),
        ("valloc", valloc as *const ()),
        ("pvalloc", pvalloc as *const ()),
        ("malloc_usable_size", malloc_usable_size as *const ()),
    ]
}

/// Is this the name of a function that glibc lets programs replace for all, itself included?
pub(crate) fn is_replaceable(name: &[u8]) -> bool {
    functions().iter().any(|(known, _)| known.as_bytes() == name)
}

/// Has this program begun? Before that, libraries allocate what they cannot do without.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// From now on, it is for those who allocate to say that there is no memory.
pub(crate) fn begin() {
    HAS_BEGUN.store(true, Ordering::Relaxed);
}

/// Libraries would end the process without saying why.
#[cold]
fn give_up() -> ! {
    let text = b"vmkit: the system gives too little memory to begin with\n";
    // SAFETY: writes a text of this length, and ends the process.
    unsafe {
        libc::write(2, text.as_ptr().cast(), text.len());
        libc::_exit(BAD_INPUT)
    }
}

/// What POSIX wants beside a null pointer.
fn or_no_memory(block: *mut c_void) -> *mut c_void {
    if block.is_null() {
        if !HAS_BEGUN.load(Ordering::Relaxed) {
            give_up();
        }
        // SAFETY: this thread's own errno.
        unsafe { *libc::__errno_location() = libc::ENOMEM };
    }
    block
}

// SAFETY, of all that follow: the executable is the one that defines these names for the process,
// all of them, as the C library's manual asks ("Replacing malloc"); callers keep C's rules.

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: takes any size.
    within(size, || cleared(unsafe { mi::mi_malloc(size) }))
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: takes any sizes.
    within(count.saturating_mul(size), || unsafe { mi::mi_calloc(count, size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return malloc(size);
    }
    if size == 0 {
        // As the C library does it.
        // SAFETY: the caller's block.
        unsafe { mi::mi_free(block) };
        return std::ptr::null_mut();
    }
    // SAFETY: the caller's block.
    within(size, || unsafe { mi::mi_realloc(block, size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the caller's block.
    unsafe { mi::mi_free(block) }
}

#[unsafe(no_mangle)]
extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    let Some(alignment) = alignment.checked_next_power_of_two() else {
        // SAFETY: this thread's own errno.
        unsafe { *libc::__errno_location() = libc::EINVAL };
        return std::ptr::null_mut();
    };
    // SAFETY: the alignment is a power of two.
    within(size, || cleared(unsafe { mi::mi_malloc_aligned(size, alignment) }))
}

#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    memalign(alignment, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(
    block: *mut *mut c_void,
    alignment: usize,
    size: usize,
) -> c_int {
    if !alignment.is_power_of_two() || !alignment.is_multiple_of(size_of::<usize>()) {
        return libc::EINVAL;
    }
    let given = memalign(alignment, size);
    if given.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's pointer.
    unsafe { *block = given };
    0
}

#[unsafe(no_mangle)]
extern "C" fn valloc(size: usize) -> *mut c_void {
    memalign(page_size(), size)
}

#[unsafe(no_mangle)]
extern "C" fn pvalloc(size: usize) -> *mut c_void {
    let page = page_size();
    memalign(page, size.checked_next_multiple_of(page).unwrap_or(usize::MAX))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *const c_void) -> usize {
    // SAFETY: the caller's block, or null.
    unsafe { mi::mi_usable_size(block) }
}
