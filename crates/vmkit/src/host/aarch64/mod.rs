//! AArch64, procedure call standard AAPCS64.
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
    // SAFETY: it reads a register.
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) pointer,
            options(nostack, preserves_flags, nomem, pure));
    }
    pointer
}

/// The word at an address that code has just read, or will.
pub(crate) fn load(address: Addr) -> u64 {
    let word: u64;
    // SAFETY: it does what the call that led here did before, with the same outcome.
    unsafe {
        asm!("ldr {word}, [{address}]", word = out(reg) word, address = in(reg) address.0,
            options(nostack, preserves_flags, readonly));
    }
    word
}

/// A return address without the signature that code may have put into it.
pub(crate) fn unsigned(address: u64) -> u64 {
    let found: u64;
    // SAFETY: `xpaclri` changes a register, and nothing on processors that sign no addresses.
    unsafe {
        asm!("hint #7", inout("x30") address => found, options(nostack, preserves_flags, nomem, pure));
    }
    found
}

/// Changes eight bytes of code by one store, if they hold `old`; tells whether they did.
///
/// # Safety
///
/// `place` is writable and its eight bytes lie in one 64-byte line.
pub(crate) unsafe fn exchange(place: *mut u8, old: u64, new: u64) -> bool {
    let found: u64;
    // SAFETY: the caller's promise; two instructions that begin at a multiple of eight.
    unsafe {
        asm!(
            "2: ldaxr {found}, [{place}]",
            "cmp {found}, {old}",
            "b.ne 3f",
            "stlxr {failed:w}, {new}, [{place}]",
            "cbnz {failed:w}, 2b",
            "3: clrex",
            place = in(reg) place, old = in(reg) old, new = in(reg) new,
            found = out(reg) found, failed = out(reg) _, options(nostack));
    }
    found == old
}

/// Replaces four bytes of code by one store.
///
/// # Safety
///
/// `place` is writable and its four bytes lie in one 64-byte line.
pub(crate) unsafe fn patch(place: *mut u8, value: u32) {
    // SAFETY: the caller's promise. An instruction rather than a Rust store, because running code
    // is no memory that Rust knows of. What was linked before must be seen before it.
    unsafe {
        asm!("dmb ish", "str {value:w}, [{place}]", place = in(reg) place, value = in(reg) value,
            options(nostack, preserves_flags));
    }
}

/// Has code that was written run, on every core: what was written before it, data too, is seen by
/// whoever runs it (Arm ARM, B2.7.4).
pub(crate) fn flush(address: Addr, size: u64) {
    let types: u64;
    // SAFETY: it reads a register that programs may read.
    unsafe {
        asm!("mrs {}, ctr_el0", out(reg) types, options(nostack, preserves_flags, nomem, pure));
    }
    // The sizes of lines, as logarithms of words.
    let lines = |shift: u32| {
        let line = 4u64 << (types >> shift & 15);
        (address.0 & !(line - 1)..address.0 + size).step_by(line as usize)
    };
    for line in lines(16) {
        // SAFETY: it writes back what is cached of code, which can be read.
        unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    for line in lines(0) {
        // SAFETY: it forgets what is cached of code, which can be read.
        unsafe { asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: barriers.
    unsafe { asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
}
