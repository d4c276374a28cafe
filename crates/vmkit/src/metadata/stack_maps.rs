//! Stack maps: where values are at places in the code.
//!
//! The format is LLVM's, version 3 (LLVM documentation, "Stack maps and patch points in LLVM"):
//! little-endian, one table after another, each aligned to eight bytes.
//!
//! ```text
//! ┌─────────┬───────────┬───────────┬─────────┐
//! │ header  │ functions │ constants │ records │
//! │ 16      │ 24 each   │ 8 each    │         │
//! └─────────┴───────────┴───────────┴─────────┘
//! record: id 8, offset 4, flags 2, number 2 │ locations, 12 each │ to 8 │
//!         padding 2, number 2 │ live-outs, 4 each │ to 8
//! ```

use std::sync::Arc;

use crate::error::{Error, Result};

/// The version of the format.
const VERSION: u8 = 3;

/// Something read, or what is wrong.
type Read<T> = std::result::Result<T, String>;

/// The contents of a section of stack maps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StackMaps {
    /// The functions that have records, in the order of the section.
    pub functions: Vec<Function>,
    /// The records, function by function.
    pub records: Vec<Record>,
}

/// A function with records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Where it begins; what the section holds there, hence 0 before the section is linked.
    pub address: u64,
    /// Where in the section that address stands: the offset of its relocation.
    pub address_at: usize,
    /// Bytes of its frame; none if they vary while it runs.
    pub stack_size: Option<u64>,
}

/// What is known of one place in the code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Index of its function in [`StackMaps::functions`].
    pub function: usize,
    /// The number that the producer was given for it.
    pub id: u64,
    /// Bytes from the start of the function: for a call, where it returns to.
    pub offset: u32,
    /// Where its values are, in the order in which they were given.
    pub locations: Vec<Location>,
    /// Registers that the code after it needs.
    pub live_outs: Vec<LiveOut>,
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location {
    /// Where.
    pub place: Place,
    /// Bytes of the value.
    pub size: u16,
}

/// The places a value can be in. Registers have their DWARF numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// In a register.
    Register(u16),
    /// It is the address that many bytes from a register's.
    Address {
        /// The register.
        register: u16,
        /// Bytes.
        offset: i32,
    },
    /// In memory, that many bytes from a register's address.
    Memory {
        /// The register.
        register: u16,
        /// Bytes.
        offset: i32,
    },
    /// Nowhere: this is it, sign-extended.
    Constant(i64),
}

/// A register that holds something after the record's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveOut {
    /// Its DWARF number.
    pub register: u16,
    /// Bytes of it that are needed.
    pub size: u8,
}

impl StackMaps {
    /// Reads a section of stack maps; `name` says whose, for messages.
    ///
    /// # Errors
    ///
    /// Bytes that are no stack maps of version 3, end early, or contradict themselves.
    pub fn parse(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { bytes, at: 0 };
        let mut maps = Self::default();
        while reader.at < bytes.len() {
            let start = reader.at;
            if let Err(what) = maps.table(&mut reader) {
                let at = reader.at;
                let what = format!("stack maps at {start:#x}: {what} (at {at:#x})");
                return Err(Error::input(name, what));
            }
        }
        Ok(maps)
    }

    fn table(&mut self, reader: &mut Reader<'_>) -> Read<()> {
        let version = reader.u8("header")?;
        if version != VERSION {
            return Err(format!("version {version}, not {VERSION}"));
        }
        reader.take("header", 3)?;
        let functions = reader.u32("header")?;
        let constants = reader.u32("header")?;
        let records = reader.u32("header")?;

        let first = self.functions.len();
        let mut counts = Vec::with_capacity(reader.count("functions", functions, 24)?);
        for _ in 0..functions {
            let (function, count) = function(reader)?;
            self.functions.push(function);
            counts.push(count);
        }
        let total = counts.iter().try_fold(0u64, |total, &count| total.checked_add(count));
        if total != Some(u64::from(records)) {
            return Err(format!(
                "{records} records, but functions that have another number of them"
            ));
        }
        reader.count("constants", constants, 8)?;
        let constants: Vec<_> =
            (0..constants).map(|_| reader.u64("constant")).collect::<Read<_>>()?;
        for (index, count) in counts.into_iter().enumerate() {
            for _ in 0..count {
                self.records.push(record(reader, first + index, &constants)?);
            }
        }
        Ok(())
    }

    /// The records of the function with this index.
    pub fn records_of(&self, function: usize) -> impl Iterator<Item = &Record> {
        let from = self.records.partition_point(|record| record.function < function);
        self.records[from..].iter().take_while(move |record| record.function == function)
    }
}

/// A function, and how many records it has.
fn function(reader: &mut Reader<'_>) -> Read<(Function, u64)> {
    let address_at = reader.at;
    let address = reader.u64("function")?;
    let stack_size = Some(reader.u64("function")?).filter(|&size| size != u64::MAX);
    Ok((Function { address, address_at, stack_size }, reader.u64("function")?))
}

fn record(reader: &mut Reader<'_>, function: usize, constants: &[u64]) -> Read<Record> {
    let id = reader.u64("record")?;
    let offset = reader.u32("record")?;
    reader.take("record", 2)?;
    let locations = u32::from(reader.u16("record")?);
    reader.count("locations", locations, 12)?;
    let locations = (0..locations).map(|_| location(reader, constants)).collect::<Read<_>>()?;
    reader.align()?;
    reader.take("record", 2)?;
    let live_outs = u32::from(reader.u16("record")?);
    reader.count("live-outs", live_outs, 4)?;
    let live_outs = (0..live_outs).map(|_| live_out(reader)).collect::<Read<_>>()?;
    reader.align()?;
    Ok(Record { function, id, offset, locations, live_outs })
}

fn location(reader: &mut Reader<'_>, constants: &[u64]) -> Read<Location> {
    let kind = reader.u8("location")?;
    reader.take("location", 1)?;
    let size = reader.u16("location")?;
    let register = reader.u16("location")?;
    reader.take("location", 2)?;
    let offset = reader.u32("location")?.cast_signed();
    let place = match kind {
        1 => Place::Register(register),
        2 => Place::Address { register, offset },
        3 => Place::Memory { register, offset },
        4 => Place::Constant(i64::from(offset)),
        5 => {
            let constant = usize::try_from(offset).ok().and_then(|index| constants.get(index));
            let missing = || format!("constant {offset} of {}", constants.len());
            Place::Constant(constant.ok_or_else(missing)?.cast_signed())
        }
        _ => return Err(format!("location of the unknown kind {kind}")),
    };
    Ok(Location { place, size })
}

fn live_out(reader: &mut Reader<'_>) -> Read<LiveOut> {
    let register = reader.u16("live-out")?;
    reader.take("live-out", 1)?;
    Ok(LiveOut { register, size: reader.u8("live-out")? })
}

/// Bytes being read, and how far.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, what: &str, size: usize) -> Read<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..size).ok_or_else(|| format!("the section ends within a {what}"))?;
        self.at += size;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Read<[u8; N]> {
        Ok(self.take(what, N)?.try_into().expect("as many as were taken"))
    }

    fn u8(&mut self, what: &str) -> Read<u8> {
        self.array(what).map(u8::from_le_bytes)
    }

    fn u16(&mut self, what: &str) -> Read<u16> {
        self.array(what).map(u16::from_le_bytes)
    }

    fn u32(&mut self, what: &str) -> Read<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Read<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Goes on to the next multiple of eight.
    fn align(&mut self) -> Read<()> {
        let padding = self.at.next_multiple_of(8) - self.at;
        self.take("record", padding).map(drop)
    }

    /// `count` as a number of things of `size` bytes each, which must all be there.
    fn count(&self, what: &str, count: u32, size: usize) -> Read<usize> {
        let left = self.bytes.len() - self.at;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > left / size {
            return Err(format!("{count} {what}, but {left} bytes are left"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with one function, one constant and one record of one location.
    fn table() -> Vec<u8> {
        let mut bytes = vec![VERSION, 0, 0, 0];
        [1u32, 1, 1].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        [0x1000u64, u64::MAX, 1].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.extend((-5i64).to_le_bytes());
        bytes.extend(9u64.to_le_bytes());
        bytes.extend([16, 0, 0, 0, 0, 0, 1, 0]);
        bytes.extend([5, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0; 4]); // to a multiple of eight
        bytes.extend([0, 0, 1, 0, 2, 0, 0, 8]);
        bytes
    }

    fn check_refused(at: usize, byte: u8, what: &str) {
        let mut bytes = table();
        bytes[at] = byte;
        let error = StackMaps::parse("f", &bytes).unwrap_err().to_string();
        assert!(error.starts_with("f: stack maps at 0x0: ") && error.contains(what), "{error}");
    }

    #[test]
    fn all_parts_are_read() {
        let maps = StackMaps::parse("f", &table()).unwrap();
        let function = Function { address: 0x1000, address_at: 16, stack_size: None };
        assert_eq!(maps.functions, [function]);
        let record = Record {
            function: 0,
            id: 9,
            offset: 16,
            locations: vec![Location { place: Place::Constant(-5), size: 4 }],
            live_outs: vec![LiveOut { register: 2, size: 8 }],
        };
        assert_eq!(maps.records, [record]);
        assert_eq!(StackMaps::parse("f", &[]).unwrap(), StackMaps::default());
    }

    #[test]
    fn contradictions_are_named() {
        check_refused(0, 2, "version 2, not 3");
        check_refused(4, 2, "1 records");
        check_refused(7, 1, "16777217 functions, but 72 bytes are left");
        check_refused(8, 99, "99 constants");
        check_refused(12, 2, "2 records, but functions that have another number of them");
        check_refused(32, 0, "1 records, but");
        check_refused(39, 0x80, "1 records, but");
        check_refused(62, 77, "77 locations, but");
        check_refused(64, 6, "location of the unknown kind 6");
        check_refused(64, 0, "location of the unknown kind 0");
        check_refused(72, 1, "constant 1 of 1");
        check_refused(75, 0x80, "constant -2147483648 of 1");
        check_refused(82, 2, "2 live-outs, but 4 bytes are left");
    }

    #[test]
    fn what_follows_must_be_a_table() {
        let bytes = [table(), vec![0; 8]].concat();
        let error = StackMaps::parse("f", &bytes).unwrap_err().to_string();
        assert_eq!(error, "f: stack maps at 0x58: version 0, not 3 (at 0x59)");
    }
}
