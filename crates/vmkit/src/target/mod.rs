//! Data about the code we link: edge tables, fixups, stub bytes, reach. Built on every host.
#![forbid(unsafe_code)]

pub mod x86_64;

/// How an edge's bytes are computed. `S` is the symbol's address, `A` the addend, `P` the place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Formula {
    /// `S + A`.
    Absolute,
    /// `S + A - P`.
    Relative,
    /// `S + A - P` in a call or jump, which may be led through a stub.
    Call,
    /// `slot + A - P`, the slot holding `S`.
    Slot,
    /// As [`Formula::Slot`], in an instruction that can be rewritten to need no slot.
    SlotLoad,
    /// `slot - base`: the slot's offset in the slot area.
    SlotOffset,
    /// `S + A - base`, from the start of the slot area.
    FromSlots,
    /// `base + A - P`: the start of the slot area.
    SlotsBase,
    /// `pair + A - P`, the pair holding module and offset of a thread-local variable.
    ThreadPair,
    /// `pair + A - P`, the pair holding module and offset 0.
    ThreadModule,
    /// The variable's offset in its module's thread-local block, plus `A`.
    ThreadOffset,
    /// The variable's offset from the thread pointer: needs static thread-local storage.
    StaticThreadOffset,
    /// The symbol's size plus `A`.
    Size,
    /// Nothing is written.
    None,
}

/// One row of a target's edge table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The relocation's number in ELF.
    pub number: u32,
    /// The relocation's name in the psABI.
    pub name: &'static str,
    /// How the value is computed.
    pub formula: Formula,
    /// Bytes written, 0 to 8.
    pub size: u8,
    /// Smallest value that fits.
    pub low: i128,
    /// Largest value that fits.
    pub high: i128,
}

/// The ELF machine number of the code that this build of the crate runs.
#[cfg(target_arch = "x86_64")]
pub const ELF_MACHINE: u16 = object::elf::EM_X86_64;

#[cfg(target_arch = "x86_64")]
pub use x86_64 as native;

/// Writes the low `size` bytes of `value`, little-endian, at `offset`; `None` outside the section.
pub fn write(bytes: &mut [u8], offset: u64, size: u8, value: i128) -> Option<()> {
    let start = usize::try_from(offset).ok()?;
    let place = bytes.get_mut(start..start.checked_add(usize::from(size))?)?;
    place.copy_from_slice(&value.to_le_bytes()[..usize::from(size)]);
    Some(())
}
