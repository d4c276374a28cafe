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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader of `size` bytes makes of them, under the bounds of `row`.
    fn read(row: &Row, bytes: &[u8], offset: usize) -> i128 {
        let mut wide = [0; 16];
        let size = usize::from(row.size);
        wide[..size].copy_from_slice(&bytes[offset..offset + size]);
        let unsigned = i128::from_le_bytes(wide);
        let is_negative = unsigned > row.high;
        if is_negative { unsigned - (1 << (8 * size)) } else { unsigned }
    }

    fn check(row: &Row, value: i128) {
        let mut bytes = [0xcc; 24];
        write(&mut bytes, 8, row.size, value).unwrap();
        // 64 bits hold signed and unsigned values, which only the reader can tell apart.
        let found = read(row, &bytes, 8);
        let is_same = if row.size == 8 { found as u64 == value as u64 } else { found == value };
        assert!(is_same, "{}: {value:#x} became {found:#x}", row.name);
        let end = 8 + usize::from(row.size);
        assert!(bytes[..8].iter().chain(&bytes[end..]).all(|&byte| byte == 0xcc), "{}", row.name);
    }

    #[test]
    fn bounds_are_read_back() {
        for row in native::ROWS.iter().filter(|row| row.size > 0) {
            // Where both signs fit, the upper half of the unsigned ones reads as negative.
            let is_both = row.low < 0 && row.high == (1 << (8 * u32::from(row.size))) - 1;
            let low = if is_both { 0 } else { row.low };
            [low, 0, 1, row.high - 1, row.high].into_iter().for_each(|value| check(row, value));
        }
    }

    #[test]
    fn nothing_is_written_outside() {
        let check = |offset, size, expected| {
            let mut bytes = [0xcc; 8];
            assert_eq!(write(&mut bytes, offset, size, 0), expected);
            assert!(expected.is_some() || bytes == [0xcc; 8]);
        };
        check(0, 8, Some(()));
        check(8, 0, Some(()));
        check(1, 8, None);
        check(7, 2, None);
        check(9, 0, None);
        check(u64::MAX, 1, None);
        check(u64::MAX - 3, 8, None);
    }

    proptest! {
        #[test]
        fn values_in_bounds_are_read_back(index in 0..native::ROWS.len(), value: i64) {
            let row = &native::ROWS[index];
            let span = row.high - row.low.max(0) + 1;
            if row.size > 0 {
                check(row, row.low.max(0) + i128::from(value).rem_euclid(span));
            }
        }
    }
}
