//! What the virtual machine knows of linked code: everything its producer said, by final address.
#![forbid(unsafe_code)]

mod map;
mod read;

use std::ops::Range;
use std::sync::Arc;

pub use self::map::CodeMap;
use crate::error::Result;
use crate::metadata::{CallSites, Line, Lines, Record, Rules, Tag};
use crate::symbol::{Name, SymbolId};

/// A function whose code is linked.
#[derive(Debug)]
pub struct Function {
    /// The symbol whose definition was linked; several functions can have come with it.
    pub unit: SymbolId,
    /// The session's symbol of this function; none if only its own graph can name it.
    pub symbol: Option<SymbolId>,
    /// The producer's name of it.
    pub name: Name,
    /// The module it is from.
    pub module: Arc<str>,
    /// Where its code begins.
    pub start: u64,
    /// Where its code ends.
    pub end: u64,
    /// Bytes of its frame, if its stack map says so.
    pub stack_size: Option<u64>,
    /// The calls that name what they call, by address.
    pub calls: Vec<Call>,
    /// The places in it that have a name or of which an address is taken (`&&label` in C, `blockaddress` in
    /// LLVM; the name is empty then), by address. For landing pads see `call_sites`.
    pub labels: Vec<(u64, Name)>,
    /// How to unwind from it; none if its producer did not say.
    pub rules: Option<Rules>,
    /// Where its calls go on when they unwind; none if they just unwind.
    pub call_sites: Option<CallSites>,
    /// The instructions that its producer says can trap, by address, and why, by the producer's own
    /// numbers.
    pub traps: Vec<(u64, u32)>,
    /// By address, and whether they are about the call that returns there.
    tags: Vec<(u64, bool, Box<[Tag]>)>,
    /// By address.
    points: Vec<(u64, Record)>,
    lines: Option<Arc<Lines>>,
}

/// A call that names what it calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Where it returns to.
    pub returns_to: u64,
    /// The name of what it calls; empty if it has none.
    pub callee: Name,
    /// The session's symbol of what it calls, if it is one.
    pub symbol: Option<SymbolId>,
}

impl Function {
    /// A function of which nothing is known but where it is.
    #[must_use]
    pub fn new(unit: SymbolId, name: Name, module: Arc<str>, code: Range<u64>) -> Self {
        Self {
            unit,
            symbol: None,
            name,
            module,
            start: code.start,
            end: code.end,
            stack_size: None,
            calls: Vec::new(),
            labels: Vec::new(),
            rules: None,
            call_sites: None,
            traps: Vec::new(),
            tags: Vec::new(),
            points: Vec::new(),
            lines: None,
        }
    }

    /// Adds records of stack maps, with their addresses.
    pub fn add_points(&mut self, points: impl IntoIterator<Item = (u64, Record)>) {
        self.points.extend(points);
        self.points.sort_by_key(|(address, _)| *address);
    }

    /// Is the address in its code?
    #[must_use]
    pub fn contains(&self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }

    /// The records of its stack map, by address: of a statepoint, where its call returns to; of a
    /// stack map or a patch point, where it begins.
    #[must_use]
    pub fn points(&self) -> &[(u64, Record)] {
        &self.points
    }

    /// The record at an address.
    #[must_use]
    pub fn point(&self, address: u64) -> Option<&Record> {
        let at = self.points.binary_search_by_key(&address, |(address, _)| *address).ok()?;
        Some(&self.points[at].1)
    }

    /// Why the instruction at an address traps, if its producer says.
    #[must_use]
    pub fn trap(&self, address: u64) -> Option<u32> {
        let at = self.traps.binary_search_by_key(&address, |(address, _)| *address).ok()?;
        Some(self.traps[at].1)
    }

    /// What its producer was told to pass on about a place: of the call that returns to an address, or
    /// of the instruction there.
    #[must_use]
    pub fn tags(&self, address: u64, is_call: bool) -> &[Tag] {
        let find = |(at, of_call, _): &(u64, bool, _)| (*at, *of_call).cmp(&(address, is_call));
        self.tags.binary_search_by(find).map_or(&[], |at| &self.tags[at].2)
    }

    /// The places that have [tags](Function::tags), by address, and whether they are about the call that
    /// returns there.
    pub fn tagged(&self) -> impl Iterator<Item = (u64, bool)> + '_ {
        self.tags.iter().map(|(address, is_call, _)| (*address, *is_call))
    }

    /// The records of this id, with their addresses: a patch point's, say.
    pub fn points_of(&self, id: u64) -> impl Iterator<Item = (u64, &Record)> {
        let found = self.points.iter().filter(move |(_, record)| record.id == id);
        found.map(|(address, record)| (*address, record))
    }

    /// Where the instruction at an address comes from, the last inlined function first. Empty if the
    /// module's debug information was not kept.
    ///
    /// # Errors
    ///
    /// Damaged debug information.
    pub fn lines(&self, address: u64) -> Result<Vec<Line>> {
        self.lines.as_ref().map_or(Ok(Vec::new()), |lines| lines.at(address))
    }
}
