//! What the assembly entry hands over to.
#![forbid(unsafe_code)]

use std::sync::atomic::AtomicPtr;

use super::Registers;

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

impl Gate {
    /// A gate that is not yet open: its address is needed before there is anything behind it.
    pub(crate) fn new(resolve: Resolve) -> Box<Self> {
        Box::new(Self { resolve, owner: AtomicPtr::default() })
    }
}
