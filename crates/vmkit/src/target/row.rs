//! The rows of a target's edge table: what an edge's value is, and where its bits go.

/// What an edge asks of its symbol.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    /// Its address.
    Address,
    /// Its address in a call or jump, which may be led through a stub.
    Call,
    /// The slot that holds its address.
    Slot,
    /// As [`Term::Slot`], in an instruction that can be rewritten to need no slot.
    SlotLoad,
    /// The start of the slot area, whatever the symbol is.
    Slots,
    /// The pair that holds module and offset of a thread-local variable.
    ThreadPair,
    /// A pair that holds the symbol's module and offset 0.
    ThreadModule,
    /// The pair of a function that finds a thread-local variable, and its argument.
    ThreadDescriptor,
    /// The variable's offset in its module's thread-local block.
    ThreadOffset,
    /// The variable's offset from the thread pointer: needs static thread-local storage.
    StaticThreadOffset,
    /// The slot that holds that offset.
    StaticThreadSlot,
    /// Its size.
    Size,
    /// Nothing: nothing is written.
    None,
}

/// What is subtracted from the sum of term and addend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// Nothing.
    Zero,
    /// The place.
    Place,
    /// The place's page, after the sum was rounded down to its own.
    Page,
    /// The start of the slot area.
    Slots,
    /// The page of that start.
    SlotsPage,
}

impl Base {
    /// The value of an edge: `sum` is its term and addend, `place` where it is, `slots` where the
    /// slot area begins.
    #[must_use]
    pub fn value(self, sum: i128, place: u64, slots: u64) -> i128 {
        let page = |address: i128| address & !0xfff;
        let (place, slots) = (i128::from(place), i128::from(slots));
        match self {
            Self::Zero => sum,
            Self::Place => sum - place,
            Self::Page => page(sum) - page(place),
            Self::Slots => sum - slots,
            Self::SlotsPage => sum - page(slots),
        }
    }
}

/// Some of a value's bits, and where they go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The lowest of the bits in the value.
    pub from: u8,
    /// Where that bit goes in the bytes at the place, read as one little-endian word.
    pub to: u8,
    /// How many bits.
    pub width: u8,
}

/// How a value is put into the bytes at an edge's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// Bytes that are read and written, 0 to 8.
    pub size: u8,
    /// The bits that are written; all others stay as they are.
    pub runs: &'static [Run],
    /// What the value must be a multiple of, a power of two.
    pub align: u8,
    /// Bits of the word that are set if the value is not negative and cleared if it is; where there
    /// are any, the bits of a negative value are written inverted (`MOVZ` and `MOVN` of AArch64).
    pub positive: u32,
}

impl Field {
    /// All bits of `size` bytes.
    pub(super) const fn bytes(size: u8) -> Self {
        const RUNS: [&[Run]; 5] =
            [&[], &[run(0, 0, 8)], &[run(0, 0, 16)], &[run(0, 0, 32)], &[run(0, 0, 64)]];
        let runs = RUNS[match size {
            0..=2 => size as usize,
            4 => 3,
            _ => 4,
        }];
        Self { size, runs, align: 1, positive: 0 }
    }

    /// The word with a value put into it.
    #[must_use]
    #[inline]
    pub fn put(&self, word: u64, value: i128) -> u64 {
        let positive = u64::from(self.positive);
        let is_inverted = positive != 0 && value < 0;
        let bits = if is_inverted { !value } else { value } as u64;
        let word = if is_inverted { word & !positive } else { word | positive };
        self.runs.iter().fold(word, |word, run| {
            let mask = u64::MAX >> (64 - run.width);
            word & !(mask << run.to) | (bits >> run.from & mask) << run.to
        })
    }

    /// The bits of a value that [`Field::put`] wrote; those it did not write are 0.
    #[must_use]
    pub fn get(&self, word: u64) -> u64 {
        self.runs.iter().fold(0, |value, run| {
            let mask = u64::MAX >> (64 - run.width);
            value | (word >> run.to & mask) << run.from
        })
    }
}

pub(super) const fn run(from: u8, to: u8, width: u8) -> Run {
    Run { from, to, width }
}

/// One row of a target's edge table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The relocation's number in ELF.
    pub number: u32,
    /// The relocation's name in the psABI.
    pub name: &'static str,
    /// What is asked of the symbol.
    pub term: Term,
    /// What is subtracted.
    pub base: Base,
    /// Where the value goes.
    pub field: Field,
    /// Smallest value that fits.
    pub low: i128,
    /// Largest value that fits.
    pub high: i128,
}

/// Why a value cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misfit {
    /// The place does not lie in the bytes.
    Outside,
    /// The value is out of the row's bounds.
    Range,
    /// The value is no multiple of what it must be one of.
    Alignment,
}

impl Row {
    /// Is the value within the row's bounds?
    #[must_use]
    pub fn fits(&self, value: i128) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Writes a value at `offset`.
    ///
    /// # Errors
    ///
    /// It does not fit; nothing is written.
    pub fn write(&self, bytes: &mut [u8], offset: u64, value: i128) -> Result<(), Misfit> {
        // 64 bits hold every address, however it was computed.
        let value = if self.field.size == 8 { i128::from(value as i64) } else { value };
        if !self.fits(value) {
            return Err(Misfit::Range);
        }
        if value & i128::from(self.field.align - 1) != 0 {
            return Err(Misfit::Alignment);
        }
        let place = usize::try_from(offset).ok().and_then(|start| bytes.get_mut(start..));
        // Each size apart, so that none of them is copied in a loop.
        let written = place.and_then(|place| match self.field.size {
            0 => Some(()),
            1 => self.write_bytes::<1>(place, value),
            2 => self.write_bytes::<2>(place, value),
            4 => self.write_bytes::<4>(place, value),
            _ => self.write_bytes::<8>(place, value),
        });
        written.ok_or(Misfit::Outside)
    }

    /// Writes into the first bytes, if there are as many.
    fn write_bytes<const SIZE: usize>(&self, place: &mut [u8], value: i128) -> Option<()> {
        let place = place.first_chunk_mut::<SIZE>()?;
        let mut word = [0; 8];
        word[..SIZE].copy_from_slice(place);
        let word = self.field.put(u64::from_le_bytes(word), value).to_le_bytes();
        place.copy_from_slice(&word[..SIZE]);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::ISAS;

    /// The bits of a value that a field can hold, with what it makes of negative ones.
    fn mask(field: &Field, value: i128) -> u64 {
        let bits = if field.positive != 0 && value < 0 { !value } else { value } as u64;
        field.runs.iter().fold(0, |all, run| all | (u64::MAX >> (64 - run.width)) << run.from)
            & bits
    }

    fn check(row: &Row, value: i128) {
        let value = value - value.rem_euclid(row.field.align.into());
        let size = usize::from(row.field.size);
        let mut bytes = [0xcc; 24];
        if value < row.low {
            return assert_eq!(row.write(&mut bytes, 8, value), Err(Misfit::Range), "{}", row.name);
        }
        row.write(&mut bytes, 8, value).unwrap();
        let mut word = [0; 8];
        word[..size].copy_from_slice(&bytes[8..8 + size]);
        let word = u64::from_le_bytes(word);
        let found = row.field.get(word);
        assert_eq!(found, mask(&row.field, value), "{} of {value:#x}", row.name);
        if row.field.positive != 0 {
            assert_eq!(word & u64::from(row.field.positive) == 0, value < 0, "{}", row.name);
        }
        // Every other bit is as it was.
        let written = row.field.put(0, -1) | u64::from(row.field.positive) | row.field.put(0, 0);
        let written = written
            | row
                .field
                .runs
                .iter()
                .fold(0, |all, run| all | (u64::MAX >> (64 - run.width)) << run.to);
        let before = 0xcccc_cccc_cccc_cccc
            & u64::MAX.checked_shr(64 - 8 * u32::from(row.field.size)).unwrap_or(0);
        assert_eq!(word & !written, before & !written, "{}", row.name);
        assert!(bytes[..8].iter().chain(&bytes[8 + size..]).all(|&byte| byte == 0xcc));
    }

    fn rows() -> impl Iterator<Item = &'static Row> {
        ISAS.iter().flat_map(|isa| isa.rows).filter(|row| row.field.size > 0)
    }

    #[test]
    fn rows_are_sorted_and_found() {
        for isa in ISAS {
            assert!(isa.rows.is_sorted_by(|one, other| one.number < other.number), "{isa:?}");
            for row in isa.rows {
                assert_eq!(isa.edge(row.number).map(|found| found.name), Some(row.name));
            }
            assert!(isa.edge(u32::MAX).is_none());
        }
    }

    #[test]
    fn bounds_fit_the_bits_written() {
        for row in ISAS.iter().flat_map(|isa| isa.rows) {
            assert!(row.low <= 0 && row.high >= 0, "{}", row.name);
            assert_eq!(row.field.size == 0, row.term == Term::None, "{}", row.name);
            assert!(row.field.align.is_power_of_two(), "{}", row.name);
            let top = row.field.runs.iter().map(|run| run.from + run.width).max().unwrap_or(0);
            let is_checked = row.high < i64::MAX.into();
            assert!(!is_checked || row.high < 1 << top, "{}: {:#x}", row.name, row.high);
            // A signed value's sign has a bit of its own, but where it is in the instruction.
            let signed = u32::from(top) - u32::from(row.field.positive == 0 && top > 0);
            assert!(!is_checked || row.low >= -(1 << signed), "{}: {:#x}", row.name, row.low);
            for run in row.field.runs {
                assert!(run.to + run.width <= 8 * row.field.size, "{}", row.name);
            }
        }
    }

    #[test]
    fn bounds_are_read_back() {
        for row in rows() {
            [row.low, -1, 0, 1, row.high - 1, row.high].into_iter().for_each(|v| check(row, v));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |row: &Row, value, expected| {
            let mut bytes = [0xcc; 8];
            assert_eq!(row.write(&mut bytes, 0, value), expected, "{} of {value:#x}", row.name);
            assert!(expected.is_ok() || bytes == [0xcc; 8]);
        };
        for row in rows() {
            if row.field.size < 8 {
                check(row, row.low - 1, Err(Misfit::Range));
                check(row, row.high + 1, Err(Misfit::Range));
            }
            check(row, 0, Ok(()));
            if row.field.align > 1 {
                check(row, 1, Err(Misfit::Alignment));
                check(row, i128::from(row.field.align), Ok(()));
            }
        }
    }

    #[test]
    fn nothing_is_written_outside() {
        let check = |offset, size, is_inside: bool| {
            let row = rows().find(|row| row.field == Field::bytes(size)).unwrap();
            let mut bytes = [0xcc; 8];
            let expected = if is_inside { Ok(()) } else { Err(Misfit::Outside) };
            assert_eq!(row.write(&mut bytes, offset, 0), expected);
            assert!(is_inside || bytes == [0xcc; 8]);
        };
        check(0, 8, true);
        check(1, 8, false);
        check(7, 2, false);
        check(6, 2, true);
        check(u64::MAX, 1, false);
        check(u64::MAX - 3, 8, false);
    }

    #[test]
    fn bases_are_subtracted() {
        let check =
            |base: Base, expected| assert_eq!(base.value(0x12345, 0x5432, 0x1234), expected);
        check(Base::Zero, 0x12345);
        check(Base::Place, 0x12345 - 0x5432);
        check(Base::Page, 0x12000 - 0x5000);
        check(Base::Slots, 0x12345 - 0x1234);
        check(Base::SlotsPage, 0x12345 - 0x1000);
        assert_eq!(Base::Page.value(-1, 0, 0), -0x1000);
    }

    proptest! {
        #[test]
        fn values_in_bounds_are_read_back(index: prop::sample::Index, value: i64) {
            let row = *index.get(&rows().collect::<Vec<_>>());
            check(row, row.low + i128::from(value).rem_euclid(row.high - row.low + 1));
        }
    }
}
