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
            ".cfi_startproc",
            "\n",
            // The anchor, from its end: the return address is there, then what is preserved.
            "push rbp",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            ".cfi_rel_offset rbp, 0",
            "\n",
            "push rbx",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            ".cfi_rel_offset rbx, 0",
            "\n",
            "push r12",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            ".cfi_rel_offset r12, 0",
            "\n",
            "push r13",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            ".cfi_rel_offset r13, 0",
            "\n",
            "push r14",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            ".cfi_rel_offset r14, 0",
            "\n",
            "push r15",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            ".cfi_rel_offset r15, 0",
            "\n",
            // No anchor before it, yet. The stack is aligned now.
            "push 0",
            "\n",
            ".cfi_adjust_cfa_offset 8",
            "\n",
            concat!("mov ", $crate::next_register!($($argument)*), ", rsp"),
            "\n",
            "call {target}",
            "\n",
            "add rsp, 8",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            "pop r15",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            ".cfi_restore r15",
            "\n",
            "pop r14",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            ".cfi_restore r14",
            "\n",
            "pop r13",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            ".cfi_restore r13",
            "\n",
            "pop r12",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            ".cfi_restore r12",
            "\n",
            "pop rbx",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            ".cfi_restore rbx",
            "\n",
            "pop rbp",
            "\n",
            ".cfi_adjust_cfa_offset -8",
            "\n",
            ".cfi_restore rbp",
            "\n",
            "ret",
            "\n",
            ".cfi_endproc",
            "\n",
        )
    };
}

/// The register of the parameter behind these.
#[doc(hidden)]
#[macro_export]
macro_rules! next_register {
    () => {
        "rdi"
    };
    ($a:ident) => {
        "rsi"
    };
    ($a:ident $b:ident) => {
        "rdx"
    };
    ($a:ident $b:ident $c:ident) => {
        "rcx"
    };
    ($a:ident $b:ident $c:ident $d:ident) => {
        "r8"
    };
    ($a:ident $b:ident $c:ident $d:ident $e:ident) => {
        "r9"
    };
}

/// Puts values into the registers that calls preserve, `rsp`, `rax` and `rdx`, and goes on: they are
/// those of [`PRESERVED`], `rsp`, where to go on, `rax`, `rdx`.
///
/// # Safety
///
/// A frame of this thread expects to go on like this, and nobody counts on the frames within.
pub(crate) unsafe fn land(values: &[u64; PRESERVED.len() + 4]) -> ! {
    // SAFETY: the caller's promise. Where to go on is read before the stack pointer is set: a
    // signal's frame may then lie over these values.
    unsafe {
        asm!(
            "mov rbx, [rcx]",
            "mov rbp, [rcx + 8]",
            "mov r12, [rcx + 16]",
            "mov r13, [rcx + 24]",
            "mov r14, [rcx + 32]",
            "mov r15, [rcx + 40]",
            "mov rsi, [rcx + 56]",
            "mov rax, [rcx + 64]",
            "mov rdx, [rcx + 72]",
            "mov rsp, [rcx + 48]",
            "jmp rsi",
            in("rcx") values,
            options(noreturn)
        )
    }
}
