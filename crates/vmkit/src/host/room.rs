//! Room on the stack that somebody else's code runs on.
#![forbid(unsafe_code)]

/// More than [`touch_room`]'s callers need from there on, in bytes.
const ROOM: usize = 512;

/// Overflows the stack here, if it is about to: the program may have a handler that goes on elsewhere, and
/// never comes back.
#[inline(never)]
pub(crate) fn touch_room() {
    std::hint::black_box(&mut [0_u8; ROOM]);
}
