//! x86-64, System V calling convention.
#![expect(unsafe_code, reason = "assembly, and stores into running code")]

mod entry;
mod first_call;

use std::arch::asm;

pub(crate) use self::entry::land;
pub(crate) use self::first_call::{Registers, first_call_entry, prepare, thread_descriptor_entry};
use crate::symbol::Addr;

/// The address that thread-local variables of the executable are counted from.
pub(crate) fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: the ABI keeps the thread pointer in the first word it points to.
    unsafe {
        asm!("mov {}, qword ptr fs:[0]", out(reg) pointer,
            options(nostack, preserves_flags, readonly, pure));
    }
    pointer
}

/// The word at an address that code has just read, or will.
pub(crate) fn load(address: Addr) -> u64 {
    let word: u64;
    // SAFETY: it does what the call that led here did before, with the same outcome.
    unsafe {
        asm!("mov {word}, qword ptr [{address}]", word = out(reg) word, address = in(reg) address.0,
            options(nostack, preserves_flags, readonly));
    }
    word
}

/// A return address without a signature, which none has here.
pub(crate) fn unsigned(address: u64) -> u64 {
    address
}

/// Changes eight bytes of code by one store, if they hold `old`; tells whether they did.
///
/// # Safety
///
/// `place` is writable and its eight bytes lie in one 64-byte line.
pub(crate) unsafe fn exchange(place: *mut u8, old: u64, new: u64) -> bool {
    let found: u64;
    // SAFETY: the caller's promise. As in `patch`, the address need not be aligned.
    unsafe {
        asm!("lock cmpxchg qword ptr [{place}], {new}", place = in(reg) place, new = in(reg) new,
            inout("rax") old => found, options(nostack));
    }
    found == old
}

/// Replaces four bytes of code by one store.
///
/// # Safety
///
/// `place` is writable and its four bytes lie in one 64-byte line.
pub(crate) unsafe fn patch(place: *mut u8, value: u32) {
    // SAFETY: the caller's promise. An instruction rather than a Rust store, because the address
    // need not be aligned and the store must not be split.
    unsafe {
        asm!("mov dword ptr [{place}], {value:e}", place = in(reg) place, value = in(reg) value,
            options(nostack, preserves_flags));
    }
}

/// Has code that was written run: nothing is to be done, for fetches see every store.
pub(crate) fn flush(_: Addr, _: u64) {}
