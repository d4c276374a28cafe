//! Unwind records are checked before the system's unwinder gets them: it trusts what it is given,
//! whatever is thrown.

use std::ops::Range;
use std::sync::Arc;

use gimli::{
    BaseAddresses, CieOrFde, DW_EH_PE_pcrel, DW_EH_PE_sdata4, DwEhPe, EhFrame, Format,
    FrameDescriptionEntry, LittleEndian, UnwindSection as _,
};
use parking_lot::Mutex;

use super::Span;
use super::unwind::Bytes;
use crate::error::{Error, Result};

/// Records that were checked. Those of most functions are alike, but for the code that they are about.
#[derive(Default)]
pub(crate) struct Checked(Mutex<Vec<Shape>>);

/// So many different records are remembered.
const MOST: usize = 8;

/// The records of one function.
struct Shape {
    bytes: Box<[u8]>,
    /// Where it says how far from there the code is, and after that how long it is: [`EXTENT`] bytes.
    extent: usize,
}

/// Bytes of a distance, and of a length.
const EXTENT: usize = 8;
/// How the distance is written that a [`Shape`] has.
const RELATIVE: DwEhPe = DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_sdata4.0);

impl Checked {
    /// Makes sure that the system's unwinder can look through records, and that they are about nothing
    /// but what `is_own`. Records of code that was left out begin in the section itself.
    ///
    /// # Errors
    ///
    /// Damaged records, in a form that the unwinder does not know, or about other code.
    pub(crate) fn check(
        &self,
        name: &Arc<str>,
        section: Span<'_>,
        is_own: impl Fn(Range<u64>) -> bool,
    ) -> Result<()> {
        if self.code(&section).is_some_and(&is_own) {
            return Ok(());
        }
        let shape = check_records(name, &section, is_own)?;
        if let Some(extent) = shape {
            let shape = Shape { bytes: section.bytes.into(), extent };
            let mut known = self.0.lock();
            known.truncate(MOST - 1);
            known.push(shape);
        }
        Ok(())
    }

    /// The code that records are about which are like others that were checked.
    fn code(&self, section: &Span<'_>) -> Option<Range<u64>> {
        let mut known = self.0.lock();
        let found = known.iter().position(|shape| shape.is_of(section.bytes))?;
        let extent = known[found].extent;
        // Those that are met most come first.
        known.swap(found, found / 2);
        drop(known);
        let word = |at: usize| {
            let bytes = section.bytes[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes)
        };
        let place = section.address + extent as u64;
        let start = place.wrapping_add_signed(word(extent).cast_signed().into());
        let end = start.checked_add(word(extent + 4).into())?;
        (start < end).then_some(start..end)
    }
}

impl Shape {
    fn is_of(&self, bytes: &[u8]) -> bool {
        let (before, after) = (..self.extent, self.extent + EXTENT..);
        bytes.len() == self.bytes.len()
            && bytes[before] == self.bytes[before]
            && bytes[after.clone()] == self.bytes[after]
    }
}

/// Where the extent of the code is, if the records are such that others can be [alike](Shape).
fn check_records(
    name: &Arc<str>,
    section: &Span<'_>,
    is_own: impl Fn(Range<u64>) -> bool,
) -> Result<Option<usize>> {
    let bases = BaseAddresses::default().set_eh_frame(section.address);
    let frame = EhFrame::new(section.bytes, LittleEndian);
    let fail = |what: &str| Err(Error::input(name.clone(), format!("unwind records: {what}")));
    let mut entries = frame.entries(&bases);
    let (mut shape, mut count) = (None, 0);
    loop {
        let next = entries.next().and_then(|entry| match entry {
            Some(CieOrFde::Fde(entry)) => {
                entry.parse(EhFrame::cie_from_offset).map(|record| Some(Some(record)))
            }
            Some(CieOrFde::Cie(_)) => Ok(Some(None)),
            None => Ok(None),
        });
        let record = match next {
            Ok(Some(Some(record))) => record,
            Ok(Some(None)) => continue,
            Ok(None) => return Ok(shape.filter(|_| count == 1)),
            Err(error) => return fail(&error.to_string()),
        };
        if record.cie().encoding().format != Format::Dwarf32 {
            return fail("longer than 4 GiB");
        }
        (shape, count) = (extent(&record), count + 1);
        let (start, end) = (record.initial_address(), record.end_address());
        // A function without an instruction, none of which is ever looked for.
        if start == end {
            continue;
        }
        let is_dead = start.wrapping_sub(section.address) < section.bytes.len() as u64;
        if !is_dead && (start > end || !is_own(start..end)) {
            return fail("about code that is not there");
        }
    }
}

/// Where a record has the extent of its code, if it is written as in a [`Shape`] and nothing else in the
/// record depends on where that is.
fn extent(record: &FrameDescriptionEntry<Bytes<'_>>) -> Option<usize> {
    let is_relative = record.cie().fde_address_encoding() == Some(RELATIVE);
    // The length of the record and the distance to what it shares with others come first.
    (is_relative && record.lsda().is_none()).then(|| record.offset() + 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x10_0000;

    /// What records share: augmentation `zR`, [`RELATIVE`]; the frame begins 8 bytes above `rsp`.
    #[rustfmt::skip]
    const COMMON: [u8; 24] = [
        20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0,
    ];

    /// Records of functions of so many bytes at `starts`, with what they share.
    fn records(starts: &[u64], size: u32) -> Vec<u8> {
        let mut bytes = COMMON.to_vec();
        for start in starts {
            let distance = start.wrapping_sub(AT + bytes.len() as u64 + 8) as u32;
            let words = [20, bytes.len() as u32 + 4, distance, size];
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            // After an instruction of one byte the frame begins 16 bytes above.
            bytes.extend([0, 0x41, 0x0e, 16, 0, 0, 0, 0]);
        }
        bytes
    }

    fn check(checked: &Checked, bytes: &[u8], code: Range<u64>, expected: bool) {
        let section = Span { address: AT, bytes };
        let is_own = |range: Range<u64>| code.start <= range.start && range.end <= code.end;
        let result = checked.check(&"test".into(), section, is_own);
        assert_eq!(result.is_ok(), expected, "{result:?}");
    }

    #[test]
    fn records_like_others_are_about_code_of_their_own() {
        let checked = Checked::default();
        for round in 0..3 {
            for start in [0x20_0000, 0x20_0040, 0x10_8000] {
                check(&checked, &records(&[start], 32), start..start + 32, true);
                check(&checked, &records(&[start], 32), start..start + 31, false);
                check(&checked, &records(&[start], 32), start + 1..start + 64, false);
            }
            assert_eq!(checked.0.lock().len(), 1, "{round}");
        }
    }

    #[test]
    fn damage_is_found_in_what_is_like_nothing_known() {
        let checked = Checked::default();
        let (bytes, code) = (records(&[0x20_0000], 32), 0x20_0000..0x20_0020);
        check(&checked, &bytes, code.clone(), true);
        for at in (0..bytes.len() - 1).filter(|at| ![0, 1].contains(&(at % 4))) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let alone = Checked::default();
            let section = Span { address: AT, bytes: &damaged };
            let is_own = |range: Range<u64>| code.start <= range.start && range.end <= code.end;
            let expected = alone.check(&"test".into(), section, is_own).is_ok();
            check(&checked, &damaged, code.clone(), expected);
        }
    }

    #[test]
    fn records_of_several_functions_are_always_read() {
        let checked = Checked::default();
        let bytes = records(&[0x20_0000, 0x20_0020], 32);
        check(&checked, &bytes, 0x20_0000..0x20_0040, true);
        check(&checked, &bytes, 0x20_0000..0x20_0020, false);
        assert!(checked.0.lock().is_empty());
    }
}
