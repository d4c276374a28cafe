//! Entries: functions of the virtual machine that linked code calls, and that must be able to walk
//! the stack, move what its callers refer to, or throw; and the way back, to a landing pad.
#![expect(unsafe_code, reason = "assembly between linked code and the virtual machine")]

use std::arch::asm;

use crate::target::native;
use crate::walk::Registers;

/// Makes a function for linked code to call: `native_entry! { pub fn NAME = TARGET; }`.
///
/// It is called with up to five integer or pointer arguments, and any that are passed in vector
/// registers. It saves the registers that calls preserve in an [`Anchor`](crate::walk::Anchor) and
/// calls `TARGET`, a function of the C calling convention with one parameter more than the caller
/// gives: the **sixth** is the anchor's address, whatever comes between is not set. What `TARGET`
/// returns is returned to the caller, with the registers as they are in the anchor then: references
/// in them may have been moved.
///
/// The function is `unsafe`: it may only be called by linked code, in the way that `TARGET` expects.
///
/// ```
/// # #![expect(unsafe_code, reason = "what linked code calls")]
/// use vmkit::walk::Anchor;
///
/// extern "C" fn collect(size: usize, _: u64, _: u64, _: u64, _: u64, anchor: &mut Anchor) -> usize {
///     assert_ne!(anchor.return_address, 0);
///     size
/// }
///
/// vmkit::native_entry! {
///     /// Called by linked code with a size.
///     pub fn collect_entry = collect;
/// }
/// # fn main() {
/// # // SAFETY: the entry hands its arguments and the result through.
/// # let entry: extern "C" fn(usize) -> usize = unsafe {
/// #     std::mem::transmute(collect_entry as *const ())
/// # };
/// # assert_eq!(entry(7), 7);
/// # }
/// ```
#[macro_export]
#[cfg(target_arch = "x86_64")]
macro_rules! native_entry {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident = $target:path;)*) => {$(
        $(#[$attribute])*
        ///
        /// # Safety
        ///
        /// To be called by linked code only, with what its target takes.
        #[unsafe(naked)]
        $visibility unsafe extern "C" fn $name() {
            ::core::arch::naked_asm!(
                ".cfi_startproc",
                // The anchor, from its end: the return address is there, then what is preserved.
                "push rbp",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_rel_offset rbp, 0",
                "push rbx",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_rel_offset rbx, 0",
                "push r12",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_rel_offset r12, 0",
                "push r13",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_rel_offset r13, 0",
                "push r14",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_rel_offset r14, 0",
                "push r15",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_rel_offset r15, 0",
                // No anchor before it, yet. The stack is aligned now.
                "push 0",
                ".cfi_adjust_cfa_offset 8",
                "mov r9, rsp",
                "call {target}",
                "add rsp, 8",
                ".cfi_adjust_cfa_offset -8",
                "pop r15",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_restore r15",
                "pop r14",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_restore r14",
                "pop r13",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_restore r13",
                "pop r12",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_restore r12",
                "pop rbx",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_restore rbx",
                "pop rbp",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_restore rbp",
                "ret",
                ".cfi_endproc",
                target = sym $target,
            )
        }
    )*};
}

pub(crate) use native_entry;

/// What is put into registers: `rbx`, `rbp`, `r12` to `r15`, `rsp`, where to go on, `rax`, `rdx`.
#[repr(C)]
pub(crate) struct Landing([u64; 10]);

impl Landing {
    /// To go on at `pad` in the frame that has these registers, the stack pointer `sp` and the two
    /// values of a landing pad.
    pub(crate) fn new(registers: &Registers, sp: u64, pad: u64, values: [u64; 2]) -> Self {
        let [rbx, rbp, r12, r13, r14, r15] =
            native::PRESERVED.map(|register| registers.get(register).unwrap_or(0));
        Self([rbx, rbp, r12, r13, r14, r15, sp, pad, values[0], values[1]])
    }

    /// Goes there; every frame within is gone.
    ///
    /// # Safety
    ///
    /// The frame is on this thread's stack and expects to go on like this. What the frames within
    /// held is never dropped, and nobody may count on it.
    pub(crate) unsafe fn go(&self) -> ! {
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
                in("rcx") &raw const self.0,
                options(noreturn)
            )
        }
    }
}
