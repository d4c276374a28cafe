//! What the assembly entry hands over to.
#![forbid(unsafe_code)]

use std::sync::atomic::AtomicPtr;

/// What stubs hand to the entry; its first word is the function that the entry calls.
#[repr(C)]
pub(crate) struct Gate {
    resolve: Resolve,
    /// Whose calls these are; null until the gate is opened.
    pub(crate) owner: AtomicPtr<()>,
}

/// Gives the address to run, from the gate, the number that the stub pushed, the return address and
/// the registers at the call.
pub(crate) type Resolve = unsafe extern "C" fn(*const Gate, u64, u64, *const Registers) -> u64;

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

impl Gate {
    /// A gate that is not yet open: its address is needed before there is anything behind it.
    pub(crate) fn new(resolve: Resolve) -> Box<Self> {
        Box::new(Self { resolve, owner: AtomicPtr::default() })
    }
}

impl Registers {
    /// The arguments that are integers or pointers.
    pub(crate) fn arguments(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.rcx, self.r8, self.r9]
    }
}
