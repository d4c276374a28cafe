//! Data about the code we link: edge tables, fixups, stub bytes, reach. Built on every host.
#![forbid(unsafe_code)]

pub mod aarch64;
mod row;
pub mod x86_64;

use std::fmt;

#[cfg(target_arch = "aarch64")]
pub use self::aarch64 as native;
pub use self::row::{Base, Field, Misfit, Row, Run, Term};
#[cfg(target_arch = "x86_64")]
pub use self::x86_64 as native;

/// The instruction sets whose code can be linked.
pub const ISAS: [&Isa; 2] = [&x86_64::ISA, &aarch64::ISA];

/// What linking code for an instruction set takes, whatever runs here.
pub struct Isa {
    /// Its name, as Rust has it.
    pub name: &'static str,
    /// Its number in ELF headers.
    pub machine: u16,
    /// Every edge kind, in the order of their numbers.
    pub rows: &'static [Row],
    /// Where two instructions together load an address from a slot: the kinds of their edges.
    pub slot_pair: Option<[u32; 2]>,
    /// Rewrites the instructions around the edge at an offset so that they need no slot; the edges
    /// that stand for theirs then, none if that cannot be done.
    pub relax: fn(code: &mut [u8], offset: u64) -> &'static [Relaxed],
    /// Bytes of a thunk to an address out of reach.
    pub thunk_size: u64,
    /// Writes a thunk to an address.
    pub thunk: fn(bytes: &mut [u8], target: u64),
    /// The type of sections of unwind records, if it has one of its own.
    pub unwind_section: Option<u32>,
    /// The section number of tentative definitions that lie far, if there is one.
    pub large_common: Option<u16>,
    /// From how many bytes behind its own place code counts the distance to an address.
    pub counted_from: u64,
    /// How the names of symbols begin that only say what the bytes from there on are.
    pub mapping_symbols: &'static [&'static str],
}

/// What an edge becomes when its instruction is rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relaxed {
    /// The kind of edge it is now.
    pub number: u32,
    /// Where it is now, in bytes from where the first edge was.
    pub shift: i64,
}

impl Isa {
    /// The one that runs here.
    pub const NATIVE: &'static Self = &native::ISA;

    /// The one with this number in ELF headers.
    #[must_use]
    pub fn of(machine: u16) -> Option<&'static Self> {
        ISAS.into_iter().find(|isa| isa.machine == machine)
    }

    /// The row of an ELF relocation number.
    #[must_use]
    pub fn edge(&self, number: u32) -> Option<&'static Row> {
        let index = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        Some(&self.rows[index])
    }
}

impl PartialEq for Isa {
    fn eq(&self, other: &Self) -> bool {
        self.machine == other.machine
    }
}

impl Eq for Isa {}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_number() {
        for isa in ISAS {
            assert_eq!(Isa::of(isa.machine), Some(isa));
        }
        assert_eq!(Isa::of(0), None);
        assert_eq!(Isa::NATIVE.name, std::env::consts::ARCH);
    }
}
