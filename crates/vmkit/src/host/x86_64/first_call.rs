//! The entry of first calls, and that of thread-local variables: both save everything and call.
#![expect(unsafe_code, reason = "assembly between linked code and the session")]

use std::arch::global_asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

// Entered from a stub's lazy part, with the caller's registers untouched and on the stack
//   0(%rsp) session   8(%rsp) symbol   16(%rsp) the caller's return address.
// Everything any calling convention may pass an argument in, or expect kept, is saved: all general
// registers, the flags (direction and carry), and the vector state the processor has (XSAVE).
// Then the function whose address is the session's first word is called with (session, symbol,
// return address, saved general registers) and gives the address to run. That is put where the symbol's number was, and
// `ret` goes there: no register and no frame of ours stays.
global_asm!(
    // The save area: 64-byte aligned, of the size the processor told. Changes rax, rcx, rdx.
    ".macro vmkit_save_vectors",
    "mov ecx, dword ptr [rip + {size}]",
    "sub rsp, rcx",
    "and rsp, -64",
    // XSAVE wants its header zero.
    "xor eax, eax",
    "mov rcx, rsp",
    "add rcx, 512",
    "mov qword ptr [rcx], rax",
    "mov qword ptr [rcx + 8], rax",
    "mov qword ptr [rcx + 16], rax",
    "mov qword ptr [rcx + 24], rax",
    "mov qword ptr [rcx + 32], rax",
    "mov qword ptr [rcx + 40], rax",
    "mov qword ptr [rcx + 48], rax",
    "mov qword ptr [rcx + 56], rax",
    "mov eax, dword ptr [rip + {mask}]",
    "xor edx, edx",
    "test eax, eax",
    "jz 2f",
    "xsave64 [rsp]",
    "jmp 3f",
    "2: fxsave64 [rsp]",
    "3:",
    ".endm",
    ".macro vmkit_restore_vectors",
    "mov eax, dword ptr [rip + {mask}]",
    "xor edx, edx",
    "test eax, eax",
    "jz 2f",
    "xrstor64 [rsp]",
    "jmp 3f",
    "2: fxrstor64 [rsp]",
    "3:",
    ".endm",
    ".text",
    ".p2align 4",
    ".globl vmkit_first_call_entry",
    ".hidden vmkit_first_call_entry",
    ".type vmkit_first_call_entry, @function",
    "vmkit_first_call_entry:",
    ".cfi_startproc",
    ".cfi_def_cfa rsp, 24",
    ".cfi_offset rip, -8",
    "pushfq",
    ".cfi_adjust_cfa_offset 8",
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbp, 0",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "cld",
    "push rax",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "push r8",
    "push r9",
    "push r10",
    "push r11",
    "push rbx",
    "vmkit_save_vectors",
    "mov rdi, qword ptr [rbp + 16]",
    "mov rsi, qword ptr [rbp + 24]",
    "mov rdx, qword ptr [rbp + 32]",
    "lea rcx, [rbp - 80]",
    "call qword ptr [rdi]",
    // Over the symbol's number goes the address to run.
    "mov qword ptr [rbp + 24], rax",
    "vmkit_restore_vectors",
    "lea rsp, [rbp - 80]",
    "pop rbx",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop rax",
    "pop rbp",
    ".cfi_def_cfa rsp, 32",
    ".cfi_restore rbp",
    "popfq",
    ".cfi_adjust_cfa_offset -8",
    // Drop the session; the address to run is on top.
    "lea rsp, [rsp + 8]",
    ".cfi_adjust_cfa_offset -8",
    "ret",
    ".cfi_endproc",
    ".size vmkit_first_call_entry, . - vmkit_first_call_entry",
    // Called by code that was compiled for descriptors of thread-local variables, with the
    // descriptor's address in rax:
    //   (%rax) this   8(%rax) the pair   16(%rax) the function that takes it.
    // Gives the variable's offset from the thread pointer and changes no other register.
    ".p2align 4",
    ".globl vmkit_thread_descriptor_entry",
    ".hidden vmkit_thread_descriptor_entry",
    ".type vmkit_thread_descriptor_entry, @function",
    "vmkit_thread_descriptor_entry:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbp, 0",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "push r8",
    "push r9",
    "push r10",
    "push r11",
    "mov rdi, qword ptr [rax + 8]",
    "mov rsi, qword ptr [rax + 16]",
    "vmkit_save_vectors",
    "call rsi",
    "mov rsi, rax",
    "sub rsi, qword ptr fs:[0]",
    "vmkit_restore_vectors",
    "mov rax, rsi",
    "lea rsp, [rbp - 64]",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    ".cfi_restore rbp",
    "ret",
    ".cfi_endproc",
    ".size vmkit_thread_descriptor_entry, . - vmkit_thread_descriptor_entry",
    size = sym SAVE_SIZE,
    mask = sym SAVE_MASK,
);

unsafe extern "C" {
    fn vmkit_first_call_entry();
    fn vmkit_thread_descriptor_entry();
}

/// Bytes of the XSAVE area, and the state components saved (0: the processor has FXSAVE only).
static SAVE_SIZE: AtomicU32 = AtomicU32::new(512);
static SAVE_MASK: AtomicU32 = AtomicU32::new(0);

/// x87, SSE, AVX, the three parts of AVX-512, APX: what code may pass or keep values in.
const COMPONENTS: u32 = 0b1110_0111 | 1 << 19;

/// The address that every session's first calls go to.
pub(crate) fn first_call_entry() -> u64 {
    vmkit_first_call_entry as *const () as u64
}

/// The function in descriptors of thread-local variables.
pub(crate) fn thread_descriptor_entry() -> u64 {
    vmkit_thread_descriptor_entry as *const () as u64
}

/// Asks the processor how much state there is to save, once: that of a virtual machine leaves it to the host,
/// which takes microseconds for each answer.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(ask);
}

fn ask() {
    let osxsave = 1 << 27;
    // Leaf 1 exists on every x86-64 processor.
    if __cpuid_count(1, 0).ecx & osxsave != 0 {
        let state = __cpuid_count(0xd, 0);
        let mut size = 576;
        for component in 2..32 {
            if state.eax & COMPONENTS & 1 << component != 0 {
                let part = __cpuid_count(0xd, component);
                size = size.max(part.eax + part.ebx);
            }
        }
        SAVE_SIZE.store(size, Ordering::Relaxed);
        SAVE_MASK.store(state.eax & COMPONENTS, Ordering::Relaxed);
    }
}

/// Registers as the entry saves them.
#[repr(C)]
pub(crate) struct Registers {
    rbx: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rdi: u64,
    rsi: u64,
    rdx: u64,
    rcx: u64,
    rax: u64,
}

impl Registers {
    /// The arguments that are integers or pointers.
    pub(crate) fn arguments(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.rcx, self.r8, self.r9]
    }
}
