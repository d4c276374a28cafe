//! From linked code into the virtual machine, and back to a landing pad.
#![expect(unsafe_code, reason = "goes on elsewhere")]

use std::arch::asm;

use crate::target::native::PRESERVED;

/// What [`native_entry`](crate::native_entry) consists of.
#[doc(hidden)]
#[macro_export]
macro_rules! entry_code {
    ($($argument:ident)*) => {
        concat!(
            ".cfi_startproc", "\n",
            // The anchor up to the caller's stack pointer, eight bytes from ours: x29 and the return
            // address are its last words, and a frame record.
            "sub sp, sp, #176", "\n",
            ".cfi_adjust_cfa_offset 176", "\n",
            "stp x29, x30, [sp, #160]", "\n",
            ".cfi_rel_offset x29, 160", "\n",
            ".cfi_rel_offset x30, 168", "\n",
            "add x29, sp, #160", "\n",
            "stp d8, d9, [sp, #16]", "\n",
            "stp d10, d11, [sp, #32]", "\n",
            "stp d12, d13, [sp, #48]", "\n",
            "stp d14, d15, [sp, #64]", "\n",
            ".cfi_rel_offset b8, 16", "\n",
            ".cfi_rel_offset b9, 24", "\n",
            ".cfi_rel_offset b10, 32", "\n",
            ".cfi_rel_offset b11, 40", "\n",
            ".cfi_rel_offset b12, 48", "\n",
            ".cfi_rel_offset b13, 56", "\n",
            ".cfi_rel_offset b14, 64", "\n",
            ".cfi_rel_offset b15, 72", "\n",
            "stp x19, x20, [sp, #80]", "\n",
            "stp x21, x22, [sp, #96]", "\n",
            "stp x23, x24, [sp, #112]", "\n",
            "stp x25, x26, [sp, #128]", "\n",
            "stp x27, x28, [sp, #144]", "\n",
            ".cfi_rel_offset x19, 80", "\n",
            ".cfi_rel_offset x20, 88", "\n",
            ".cfi_rel_offset x21, 96", "\n",
            ".cfi_rel_offset x22, 104", "\n",
            ".cfi_rel_offset x23, 112", "\n",
            ".cfi_rel_offset x24, 120", "\n",
            ".cfi_rel_offset x25, 128", "\n",
            ".cfi_rel_offset x26, 136", "\n",
            ".cfi_rel_offset x27, 144", "\n",
            ".cfi_rel_offset x28, 152", "\n",
            // No anchor before it, yet.
            "str xzr, [sp, #8]", "\n",
            "add ", $crate::next_register!($($argument)*), ", sp, #8", "\n",
            "bl {target}", "\n",
            "ldp x27, x28, [sp, #144]", "\n",
            "ldp x25, x26, [sp, #128]", "\n",
            "ldp x23, x24, [sp, #112]", "\n",
            "ldp x21, x22, [sp, #96]", "\n",
            "ldp x19, x20, [sp, #80]", "\n",
            "ldp d14, d15, [sp, #64]", "\n",
            "ldp d12, d13, [sp, #48]", "\n",
            "ldp d10, d11, [sp, #32]", "\n",
            "ldp d8, d9, [sp, #16]", "\n",
            "ldp x29, x30, [sp, #160]", "\n",
            "add sp, sp, #176", "\n",
            ".cfi_def_cfa sp, 0", "\n",
            "ret", "\n",
            ".cfi_endproc", "\n",
        )
    };
}

/// The register of the parameter behind these.
#[doc(hidden)]
#[macro_export]
macro_rules! next_register {
    () => {
        "x0"
    };
    ($a:ident) => {
        "x1"
    };
    ($a:ident $b:ident) => {
        "x2"
    };
    ($a:ident $b:ident $c:ident) => {
        "x3"
    };
    ($a:ident $b:ident $c:ident $d:ident) => {
        "x4"
    };
    ($a:ident $b:ident $c:ident $d:ident $e:ident) => {
        "x5"
    };
}

/// Puts values into the registers that calls preserve, `sp`, `x0` and `x1`, and goes on: they are those
/// of [`PRESERVED`], `sp`, where to go on, `x0`, `x1`.
///
/// # Safety
///
/// A frame of this thread expects to go on like this, and nobody counts on the frames within.
pub(crate) unsafe fn land(values: &[u64; PRESERVED.len() + 4]) -> ! {
    // SAFETY: the caller's promise. All is read before the stack pointer is set: a signal's frame may
    // then lie over these values.
    unsafe {
        asm!(
            "ldp x19, x20, [x0]",
            "ldp x21, x22, [x0, #16]",
            "ldp x23, x24, [x0, #32]",
            "ldp x25, x26, [x0, #48]",
            "ldp x27, x28, [x0, #64]",
            "ldr x29, [x0, #80]",
            "ldp d8, d9, [x0, #88]",
            "ldp d10, d11, [x0, #104]",
            "ldp d12, d13, [x0, #120]",
            "ldp d14, d15, [x0, #136]",
            "ldp x16, x17, [x0, #152]",
            "ldp x0, x1, [x0, #168]",
            "mov sp, x16",
            "br x17",
            in("x0") values,
            options(noreturn)
        )
    }
}
