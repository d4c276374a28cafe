//! x86-64, System V calling convention.
#![expect(unsafe_code, reason = "assembly, and stores into running code")]

use std::arch::{asm, global_asm, x86_64::__cpuid_count};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};
use crate::symbol::Addr;

// Entered from a stub's lazy part, with the caller's registers untouched and on the stack
//   0(%rsp) session   8(%rsp) symbol   16(%rsp) the caller's return address.
// Everything any calling convention may pass an argument in, or expect kept, is saved: all general
// registers, the flags (direction and carry), and the vector state the processor has (XSAVE).
// Then the function whose address is the session's first word is called with (session, symbol,
// return address, saved general registers) and gives the address to run. That is put where the symbol's number was, and
// `ret` goes there: no register and no frame of ours stays.
global_asm!(
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
    // The save area: 64-byte aligned, of the size the processor told.
    "mov ebx, dword ptr [rip + {size}]",
    "sub rsp, rbx",
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
    "mov rdi, qword ptr [rbp + 16]",
    "mov rsi, qword ptr [rbp + 24]",
    "mov rdx, qword ptr [rbp + 32]",
    "lea rcx, [rbp - 80]",
    "call qword ptr [rdi]",
    // Over the symbol's number goes the address to run.
    "mov qword ptr [rbp + 24], rax",
    "mov eax, dword ptr [rip + {mask}]",
    "xor edx, edx",
    "test eax, eax",
    "jz 4f",
    "xrstor64 [rsp]",
    "jmp 5f",
    "4: fxrstor64 [rsp]",
    "5:",
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
    size = sym SAVE_SIZE,
    mask = sym SAVE_MASK,
);

unsafe extern "C" {
    fn vmkit_first_call_entry();
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

/// Asks the processor how much state there is to save, and the kernel for core synchronization.
///
/// # Errors
///
/// The kernel has no `membarrier` with core synchronization (Linux before 4.16).
pub(crate) fn prepare() -> Result<()> {
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
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
}

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

/// Has every core that runs this process forget what it has fetched of code changed before.
pub(crate) fn sync_cores() {
    // It was registered, so it does not fail.
    let _ = membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
}

fn membarrier(command: libc::c_int) -> Result<()> {
    // SAFETY: the call has no memory arguments.
    if unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } < 0 {
        return Err(Error::system("membarrier"));
    }
    Ok(())
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
pub(crate) unsafe fn patch(place: *mut u8, value: i32) {
    // SAFETY: the caller's promise. An instruction rather than a Rust store, because the address
    // need not be aligned and the store must not be split.
    unsafe {
        asm!("mov dword ptr [{place}], {value:e}", place = in(reg) place, value = in(reg) value,
            options(nostack, preserves_flags));
    }
}
