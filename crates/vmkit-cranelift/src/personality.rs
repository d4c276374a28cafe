//! Exceptions by the system's unwinder: thrown, and led to the handlers of code that Cranelift
//! compiled.
#![expect(unsafe_code, reason = "called by the system's unwinder, and calls it")]

use std::ffi::c_int;

use vmkit::target::native::LANDING;

use crate::handlers::{self, Row};

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
    /// Of which of the tags with this number it is.
    context: Option<u64>,
}

/// The unwinder's context of a frame.
#[repr(C)]
pub(crate) struct Context([u8; 0]);

unsafe extern "C-unwind" {
    fn _Unwind_RaiseException(exception: *mut Header) -> c_int;
    fn _Unwind_Resume_or_Rethrow(exception: *mut Header) -> c_int;
    fn _Unwind_GetLanguageSpecificData(context: *mut Context) -> *const Row;
    fn _Unwind_GetRegionStart(context: *mut Context) -> usize;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
    fn _Unwind_GetCFA(context: *mut Context) -> usize;
    fn _Unwind_GetGR(context: *mut Context, register: c_int) -> usize;
    fn _Unwind_SetIP(context: *mut Context, address: usize);
    fn _Unwind_SetGR(context: *mut Context, register: c_int, value: usize);
}

/// Throws an exception by the system's unwinder: to the innermost `try_call` that has a handler for
/// the tag `number` (but none with a dynamic context) or for any exception, which is given `value` and
/// the number. Frames of Rust and C++ on the way clean up. Comes back only if there is no such handler;
/// one of Rust's (`catch_unwind`) that it would come to first ends the process.
pub extern "C-unwind" fn throw(number: u32, value: u64) {
    raise(number, value, None);
}

/// As [`throw`], for a tag of a dynamic context: handlers for the tag that have another context than
/// `context` let the exception pass. A handler that throws it [on](rethrow) does so without a context,
/// which it is not given.
pub extern "C-unwind" fn throw_in(number: u32, value: u64, context: u64) {
    raise(number, value, Some(context));
}

fn raise(number: u32, value: u64, context: Option<u64>) {
    let header = Header { class: CLASS, cleanup: Some(forget), private: [0; 2] };
    let exception = Box::into_raw(Box::new(Exception { header, number, value, context }));
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
/// [`handlers::table`].
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
    let thrown = (class == CLASS).then(|| unsafe { ((*exception).number, (*exception).context) });
    // Whoever forces unwinding wants no handler.
    // SAFETY: the context is the unwinder's, of a frame of a function with such a table.
    let pad = unsafe { handler(context, thrown) }.filter(|_| actions & FORCED == 0);
    let Some(pad) = pad else { return CONTINUE };
    if actions & SEARCH_PHASE != 0 {
        return HANDLER_FOUND;
    }
    let values = match thrown {
        Some((number, _)) => {
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

/// The handler in a frame for an exception with a tag's number and a context, or for one of somebody
/// else's.
///
/// # Safety
///
/// As for [`personality`].
unsafe fn handler(context: *mut Context, thrown: Option<(u32, Option<u64>)>) -> Option<usize> {
    // SAFETY: the caller's promise; the table has an end.
    unsafe {
        let start = _Unwind_GetRegionStart(context);
        let returns_to = _Unwind_GetIP(context).wrapping_sub(start);
        let mut row = _Unwind_GetLanguageSpecificData(context);
        while !row.is_null() && !(*row).is_end() {
            if (*row).returns_to as usize == returns_to && takes(&*row, context, thrown) {
                return Some(start + (*row).pad as usize);
            }
            row = row.add(1);
        }
        None
    }
}

/// Is a row of the frame's table for this exception?
///
/// # Safety
///
/// As for [`personality`].
unsafe fn takes(row: &Row, context: *mut Context, thrown: Option<(u32, Option<u64>)>) -> bool {
    let Some(wanted) = row.number() else { return true };
    let Some((number, thrown_in)) = thrown else { return false };
    // SAFETY: the caller's promise. The stack pointer at the call is where the callee's frame ended;
    // registers that have something through a call are those that callees save.
    let wanted_in = row.context().map(|place| unsafe {
        match place {
            handlers::Context::OnStack(offset) => {
                ((_Unwind_GetCFA(context) + offset as usize) as *const u64).read()
            }
            handlers::Context::InRegister(register) => {
                _Unwind_GetGR(context, register.into()) as u64
            }
        }
    });
    wanted == number && (wanted_in.is_none() || wanted_in == thrown_in)
}
