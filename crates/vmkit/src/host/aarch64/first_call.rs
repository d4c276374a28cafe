//! The entry of first calls, and that of thread-local variables: both save everything and call.
#![expect(unsafe_code, reason = "assembly between linked code and the session")]

use std::arch::global_asm;
use std::sync::atomic::{AtomicU32, Ordering};

// Entered from a stub's lazy part, by way of the trampoline, with the caller's registers untouched but
// for x16, which holds the session, and x17, which no call counts on; the symbol's number is on the
// stack, in 16 bytes of its own. Everything any calling convention may pass an argument in is saved:
// x0 to x15, x18, the flags, and the whole vector state the processor has; x19 to x29 are kept by the
// function that is called. That is the one whose address is the session's first word; it is called
// with (session, symbol, return address, saved general registers) and gives the address to run. That is
// put where the symbol's number was, and the last branch goes there: no register and no frame of ours
// stays.
global_asm!(
    ".arch_extension sve",
    // The vectors, on the stack: of whole length where the processor has the Scalable Vector
    // Extension, with the predicates before them. Changes x9.
    ".macro vmkit_save_vectors",
    "adrp x9, {has_sve}",
    "ldr w9, [x9, :lo12:{has_sve}]",
    "cbnz w9, 2f",
    "sub sp, sp, #512",
    "stp q0, q1, [sp]",
    "stp q2, q3, [sp, #32]",
    "stp q4, q5, [sp, #64]",
    "stp q6, q7, [sp, #96]",
    "stp q8, q9, [sp, #128]",
    "stp q10, q11, [sp, #160]",
    "stp q12, q13, [sp, #192]",
    "stp q14, q15, [sp, #224]",
    "stp q16, q17, [sp, #256]",
    "stp q18, q19, [sp, #288]",
    "stp q20, q21, [sp, #320]",
    "stp q22, q23, [sp, #352]",
    "stp q24, q25, [sp, #384]",
    "stp q26, q27, [sp, #416]",
    "stp q28, q29, [sp, #448]",
    "stp q30, q31, [sp, #480]",
    "b 3f",
    "2: addvl sp, sp, #-32",
    "addvl sp, sp, #-2",
    "str p0, [sp, #0, mul vl]",
    "str p1, [sp, #1, mul vl]",
    "str p2, [sp, #2, mul vl]",
    "str p3, [sp, #3, mul vl]",
    "str p4, [sp, #4, mul vl]",
    "str p5, [sp, #5, mul vl]",
    "str p6, [sp, #6, mul vl]",
    "str p7, [sp, #7, mul vl]",
    "str p8, [sp, #8, mul vl]",
    "str p9, [sp, #9, mul vl]",
    "str p10, [sp, #10, mul vl]",
    "str p11, [sp, #11, mul vl]",
    "str p12, [sp, #12, mul vl]",
    "str p13, [sp, #13, mul vl]",
    "str p14, [sp, #14, mul vl]",
    "str p15, [sp, #15, mul vl]",
    "str z0, [sp, #2, mul vl]",
    "str z1, [sp, #3, mul vl]",
    "str z2, [sp, #4, mul vl]",
    "str z3, [sp, #5, mul vl]",
    "str z4, [sp, #6, mul vl]",
    "str z5, [sp, #7, mul vl]",
    "str z6, [sp, #8, mul vl]",
    "str z7, [sp, #9, mul vl]",
    "str z8, [sp, #10, mul vl]",
    "str z9, [sp, #11, mul vl]",
    "str z10, [sp, #12, mul vl]",
    "str z11, [sp, #13, mul vl]",
    "str z12, [sp, #14, mul vl]",
    "str z13, [sp, #15, mul vl]",
    "str z14, [sp, #16, mul vl]",
    "str z15, [sp, #17, mul vl]",
    "str z16, [sp, #18, mul vl]",
    "str z17, [sp, #19, mul vl]",
    "str z18, [sp, #20, mul vl]",
    "str z19, [sp, #21, mul vl]",
    "str z20, [sp, #22, mul vl]",
    "str z21, [sp, #23, mul vl]",
    "str z22, [sp, #24, mul vl]",
    "str z23, [sp, #25, mul vl]",
    "str z24, [sp, #26, mul vl]",
    "str z25, [sp, #27, mul vl]",
    "str z26, [sp, #28, mul vl]",
    "str z27, [sp, #29, mul vl]",
    "str z28, [sp, #30, mul vl]",
    "str z29, [sp, #31, mul vl]",
    "str z30, [sp, #32, mul vl]",
    "str z31, [sp, #33, mul vl]",
    "3:",
    ".endm",
    // Changes x9 and leaves the stack pointer where it is.
    ".macro vmkit_restore_vectors",
    "adrp x9, {has_sve}",
    "ldr w9, [x9, :lo12:{has_sve}]",
    "cbnz w9, 2f",
    "ldp q0, q1, [sp]",
    "ldp q2, q3, [sp, #32]",
    "ldp q4, q5, [sp, #64]",
    "ldp q6, q7, [sp, #96]",
    "ldp q8, q9, [sp, #128]",
    "ldp q10, q11, [sp, #160]",
    "ldp q12, q13, [sp, #192]",
    "ldp q14, q15, [sp, #224]",
    "ldp q16, q17, [sp, #256]",
    "ldp q18, q19, [sp, #288]",
    "ldp q20, q21, [sp, #320]",
    "ldp q22, q23, [sp, #352]",
    "ldp q24, q25, [sp, #384]",
    "ldp q26, q27, [sp, #416]",
    "ldp q28, q29, [sp, #448]",
    "ldp q30, q31, [sp, #480]",
    "b 3f",
    "2:",
    "ldr p0, [sp, #0, mul vl]",
    "ldr p1, [sp, #1, mul vl]",
    "ldr p2, [sp, #2, mul vl]",
    "ldr p3, [sp, #3, mul vl]",
    "ldr p4, [sp, #4, mul vl]",
    "ldr p5, [sp, #5, mul vl]",
    "ldr p6, [sp, #6, mul vl]",
    "ldr p7, [sp, #7, mul vl]",
    "ldr p8, [sp, #8, mul vl]",
    "ldr p9, [sp, #9, mul vl]",
    "ldr p10, [sp, #10, mul vl]",
    "ldr p11, [sp, #11, mul vl]",
    "ldr p12, [sp, #12, mul vl]",
    "ldr p13, [sp, #13, mul vl]",
    "ldr p14, [sp, #14, mul vl]",
    "ldr p15, [sp, #15, mul vl]",
    "ldr z0, [sp, #2, mul vl]",
    "ldr z1, [sp, #3, mul vl]",
    "ldr z2, [sp, #4, mul vl]",
    "ldr z3, [sp, #5, mul vl]",
    "ldr z4, [sp, #6, mul vl]",
    "ldr z5, [sp, #7, mul vl]",
    "ldr z6, [sp, #8, mul vl]",
    "ldr z7, [sp, #9, mul vl]",
    "ldr z8, [sp, #10, mul vl]",
    "ldr z9, [sp, #11, mul vl]",
    "ldr z10, [sp, #12, mul vl]",
    "ldr z11, [sp, #13, mul vl]",
    "ldr z12, [sp, #14, mul vl]",
    "ldr z13, [sp, #15, mul vl]",
    "ldr z14, [sp, #16, mul vl]",
    "ldr z15, [sp, #17, mul vl]",
    "ldr z16, [sp, #18, mul vl]",
    "ldr z17, [sp, #19, mul vl]",
    "ldr z18, [sp, #20, mul vl]",
    "ldr z19, [sp, #21, mul vl]",
    "ldr z20, [sp, #22, mul vl]",
    "ldr z21, [sp, #23, mul vl]",
    "ldr z22, [sp, #24, mul vl]",
    "ldr z23, [sp, #25, mul vl]",
    "ldr z24, [sp, #26, mul vl]",
    "ldr z25, [sp, #27, mul vl]",
    "ldr z26, [sp, #28, mul vl]",
    "ldr z27, [sp, #29, mul vl]",
    "ldr z28, [sp, #30, mul vl]",
    "ldr z29, [sp, #31, mul vl]",
    "ldr z30, [sp, #32, mul vl]",
    "ldr z31, [sp, #33, mul vl]",
    "3:",
    ".endm",
    ".text",
    ".p2align 4",
    ".globl vmkit_first_call_entry",
    ".hidden vmkit_first_call_entry",
    ".type vmkit_first_call_entry, @function",
    "vmkit_first_call_entry:",
    ".cfi_startproc",
    ".cfi_def_cfa sp, 16",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_adjust_cfa_offset 16",
    ".cfi_rel_offset x29, 0",
    ".cfi_rel_offset x30, 8",
    "mov x29, sp",
    ".cfi_def_cfa_register x29",
    "sub sp, sp, #160",
    "stp x0, x1, [sp]",
    "stp x2, x3, [sp, #16]",
    "stp x4, x5, [sp, #32]",
    "stp x6, x7, [sp, #48]",
    "stp x8, x9, [sp, #64]",
    "stp x10, x11, [sp, #80]",
    "stp x12, x13, [sp, #96]",
    "stp x14, x15, [sp, #112]",
    "mrs x9, nzcv",
    "mrs x10, fpsr",
    "stp x18, x9, [sp, #128]",
    "str x10, [sp, #144]",
    "mov x3, sp",
    "vmkit_save_vectors",
    "mov x0, x16",
    "ldr x1, [x29, #16]",
    "mov x2, x30",
    "ldr x9, [x0]",
    "blr x9",
    // Over the symbol's number goes the address to run.
    "str x0, [x29, #16]",
    "vmkit_restore_vectors",
    "sub sp, x29, #160",
    "ldp x18, x9, [sp, #128]",
    "ldr x10, [sp, #144]",
    "msr nzcv, x9",
    "msr fpsr, x10",
    "ldp x0, x1, [sp]",
    "ldp x2, x3, [sp, #16]",
    "ldp x4, x5, [sp, #32]",
    "ldp x6, x7, [sp, #48]",
    "ldp x8, x9, [sp, #64]",
    "ldp x10, x11, [sp, #80]",
    "ldp x12, x13, [sp, #96]",
    "ldp x14, x15, [sp, #112]",
    "mov sp, x29",
    ".cfi_def_cfa sp, 32",
    "ldp x29, x30, [sp], #16",
    ".cfi_adjust_cfa_offset -16",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ldr x17, [sp], #16",
    ".cfi_adjust_cfa_offset -16",
    "br x17",
    ".cfi_endproc",
    ".size vmkit_first_call_entry, . - vmkit_first_call_entry",
    // Called by code that was compiled for descriptors of thread-local variables, with the
    // descriptor's address in x0:
    //   [x0] this   [x0, #8] the pair   [x0, #16] the function that takes it.
    // Gives the variable's offset from the thread pointer and changes no other register (psABI,
    // "General dynamic with descriptors").
    ".p2align 4",
    ".globl vmkit_thread_descriptor_entry",
    ".hidden vmkit_thread_descriptor_entry",
    ".type vmkit_thread_descriptor_entry, @function",
    "vmkit_thread_descriptor_entry:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_adjust_cfa_offset 16",
    ".cfi_rel_offset x29, 0",
    ".cfi_rel_offset x30, 8",
    "mov x29, sp",
    ".cfi_def_cfa_register x29",
    "sub sp, sp, #160",
    "stp x0, x1, [sp]",
    "stp x2, x3, [sp, #16]",
    "stp x4, x5, [sp, #32]",
    "stp x6, x7, [sp, #48]",
    "stp x8, x9, [sp, #64]",
    "stp x10, x11, [sp, #80]",
    "stp x12, x13, [sp, #96]",
    "stp x14, x15, [sp, #112]",
    "stp x16, x17, [sp, #128]",
    "mrs x9, nzcv",
    "stp x18, x9, [sp, #144]",
    "vmkit_save_vectors",
    "ldp x0, x9, [x0, #8]",
    "blr x9",
    "mrs x9, tpidr_el0",
    "sub x0, x0, x9",
    // Over what x0 was.
    "str x0, [x29, #-160]",
    "vmkit_restore_vectors",
    "sub sp, x29, #160",
    "ldp x18, x9, [sp, #144]",
    "msr nzcv, x9",
    "ldp x0, x1, [sp]",
    "ldp x2, x3, [sp, #16]",
    "ldp x4, x5, [sp, #32]",
    "ldp x6, x7, [sp, #48]",
    "ldp x8, x9, [sp, #64]",
    "ldp x10, x11, [sp, #80]",
    "ldp x12, x13, [sp, #96]",
    "ldp x14, x15, [sp, #112]",
    "ldp x16, x17, [sp, #128]",
    "mov sp, x29",
    ".cfi_def_cfa sp, 16",
    "ldp x29, x30, [sp], #16",
    ".cfi_adjust_cfa_offset -16",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    ".size vmkit_thread_descriptor_entry, . - vmkit_thread_descriptor_entry",
    has_sve = sym HAS_SVE,
);

unsafe extern "C" {
    fn vmkit_first_call_entry();
    fn vmkit_thread_descriptor_entry();
}

/// Not zero if the processor has the Scalable Vector Extension, whose registers functions may be
/// given arguments in, and of which a system call keeps only the low 128 bits.
static HAS_SVE: AtomicU32 = AtomicU32::new(0);

/// `HWCAP_SVE`.
const SVE: u64 = 1 << 22;

/// The address that every session's first calls go to.
pub(crate) fn first_call_entry() -> u64 {
    vmkit_first_call_entry as *const () as u64
}

/// The function in descriptors of thread-local variables.
pub(crate) fn thread_descriptor_entry() -> u64 {
    vmkit_thread_descriptor_entry as *const () as u64
}

/// Asks the system how much state there is to save.
pub(crate) fn prepare() {
    // SAFETY: it reads what the kernel told the process at its start.
    let features = unsafe { libc::getauxval(libc::AT_HWCAP) };
    HAS_SVE.store(u32::from(features & SVE != 0), Ordering::Relaxed);
}

/// Registers as the entry saves them, from `x0` on.
#[repr(C)]
pub(crate) struct Registers([u64; 16]);

impl Registers {
    /// The arguments that are integers or pointers.
    pub(crate) fn arguments(&self) -> [u64; 6] {
        let [x0, x1, x2, x3, x4, x5, ..] = self.0;
        [x0, x1, x2, x3, x4, x5]
    }
}
