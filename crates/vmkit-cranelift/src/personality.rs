//! Exceptions by the system's unwinder: thrown, and led to the handlers of code that Cranelift
//! compiled.
#![expect(unsafe_code, reason = "called by the system's unwinder, and calls it")]

use std::ffi::c_int;

use vmkit::target::native::LANDING;

/// The second value of a handler that an exception of somebody else's came to, such as a panic of
/// Rust's: the first one is the unwinder's exception object then.
pub const FOREIGN: u64 = u64::MAX;

/// The class of our exceptions: vendor and language (Itanium C++ ABI, level 1, "Exception Class").
const CLASS: u64 = u64::from_be_bytes(*b"VMKTCLIF");

/// What the unwinder says, and is told (the same, "The Personality Routine").
const VERSION: c_int = 1;
const SEARCH_PHASE: c_int = 1;
const FORCED: c_int = 8;
const FATAL: c_int = 3;
const HANDLER_FOUND: c_int = 6;
const INSTALL_CONTEXT: c_int = 7;
const CONTINUE: c_int = 8;

/// The unwinder's exception object (the same, "Exception Header").
#[repr(C, align(16))]
pub(crate) struct Header {
    class: u64,
    cleanup: Option<unsafe extern "C" fn(c_int, *mut Header)>,
    private: [u64; 2],
}

/// An exception of ours.
#[repr(C)]
struct Exception {
    header: Header,
    number: u32,
    value: u64,
}

/// The unwinder's context of a frame.
#[repr(C)]
pub(crate) struct Context([u8; 0]);

unsafe extern "C-unwind" {
    fn _Unwind_RaiseException(exception: *mut Header) -> c_int;
    fn _Unwind_Resume_or_Rethrow(exception: *mut Header) -> c_int;
    fn _Unwind_GetLanguageSpecificData(context: *mut Context) -> *const [u32; 3];
    fn _Unwind_GetRegionStart(context: *mut Context) -> usize;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
    fn _Unwind_SetIP(context: *mut Context, address: usize);
    fn _Unwind_SetGR(context: *mut Context, register: c_int, value: usize);
}

/// Throws an exception by the system's unwinder: to the innermost `try_call` that has a handler for
/// the tag `number` or for any exception, which is given `value` and the number. Frames of Rust and
/// C++ on the way clean up. Comes back only if there is no such handler; one of Rust's
/// (`catch_unwind`) that it would come to first ends the process.
pub extern "C-unwind" fn throw(number: u32, value: u64) {
    let header = Header { class: CLASS, cleanup: Some(forget), private: [0; 2] };
    let exception = Box::into_raw(Box::new(Exception { header, number, value }));
    // SAFETY: the object is whole, and the unwinder's until somebody takes it or it comes back.
    unsafe {
        _Unwind_RaiseException(exception.cast());
        drop(Box::from_raw(exception));
    }
}

/// Throws on what a handler was given, its two values. Comes back only if nobody handles it.
///
/// # Safety
///
/// They are those that a handler was given, which does so once.
pub unsafe extern "C-unwind" fn rethrow(value: u64, number: u64) {
    match u32::try_from(number) {
        Ok(number) => throw(number, value),
        // SAFETY: the caller's promise: the object is the one that the unwinder gave.
        Err(_) => unsafe {
            _Unwind_Resume_or_Rethrow(value as *mut Header);
        },
    }
}

/// Somebody else caught it.
unsafe extern "C" fn forget(_: c_int, header: *mut Header) {
    // SAFETY: the unwinder gives back what `throw` made.
    drop(unsafe { Box::from_raw(header.cast::<Exception>()) });
}

/// The personality routine of functions with handlers, whose tables are those of
/// [`notes`](crate::notes::notes).
///
/// # Safety
///
/// The unwinder calls it.
pub(crate) unsafe extern "C-unwind" fn personality(
    version: c_int,
    actions: c_int,
    class: u64,
    header: *mut Header,
    context: *mut Context,
) -> c_int {
    if version != VERSION {
        return FATAL;
    }
    let exception = header.cast::<Exception>();
    // SAFETY: of this class are only exceptions of ours, which are alive until they are taken.
    let number = (class == CLASS).then(|| unsafe { (*exception).number });
    // Whoever forces unwinding wants no handler.
    // SAFETY: the context is the unwinder's, of a frame of a function with such a table.
    let pad = unsafe { handler(context, number) }.filter(|_| actions & FORCED == 0);
    let Some(pad) = pad else { return CONTINUE };
    if actions & SEARCH_PHASE != 0 {
        return HANDLER_FOUND;
    }
    let values = match number {
        Some(number) => {
            // SAFETY: ours, and caught here.
            let exception = unsafe { Box::from_raw(exception) };
            [exception.value, u64::from(number)]
        }
        None => [header as u64, FOREIGN],
    };
    // SAFETY: handlers expect their values there.
    unsafe {
        for (register, value) in LANDING.into_iter().zip(values) {
            _Unwind_SetGR(context, register.into(), value as usize);
        }
        _Unwind_SetIP(context, pad);
    }
    INSTALL_CONTEXT
}

/// The handler in a frame for an exception with a tag's number, or for one of somebody else's.
///
/// # Safety
///
/// As for [`personality`].
unsafe fn handler(context: *mut Context, number: Option<u32>) -> Option<usize> {
    // SAFETY: the caller's promise; a row that begins with a zero ends the table.
    unsafe {
        let start = _Unwind_GetRegionStart(context);
        let returns_to = _Unwind_GetIP(context).wrapping_sub(start);
        let mut row = _Unwind_GetLanguageSpecificData(context);
        while !row.is_null() && (*row)[0] != 0 {
            let [at, pad, wanted] = *row;
            let is_for = wanted == 0 || number.is_some_and(|number| wanted == number + 1);
            if at as usize == returns_to && is_for {
                return Some(start + pad as usize);
            }
            row = row.add(1);
        }
        None
    }
}
