//! Call-site tables: where calls that unwind go on.
//!
//! The format is that of `.gcc_except_table`, the language-specific data of the Itanium C++ ABI
//! (level 2, "Exception Handling Tables"); pointers are encoded as the Linux Standard Base has it
//! for `.eh_frame` ("DWARF Exception Header Encoding").
//!
//! ```text
//! ┌──────────────────────┬───────────────────┬──────────┬──────────────────────┬─────────┐
//! │ bases, encodings     │ call sites        │ actions  │ types, last one first│ filters │
//! │ where the types are  │ range, pad, action│ type,next│                      │ of types│
//! └──────────────────────┴───────────────────┴──────────┴──────────────────────┴─────────┘
//! ```

mod encoded;

use std::ops::Range;
use std::sync::Arc;

use gimli::{DwEhPe, LittleEndian, Reader as _};
use rustc_hash::FxHashMap;

use self::encoded::{Bytes, Encoded, Read, number, size_of, sleb, text, u8, uleb, unknown};
use super::Place;
use crate::error::{Error, Result};

/// Where calls of one function go on when they unwind, by final address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallSites {
    /// In the order of their addresses.
    sites: Box<[CallSite]>,
    actions: Box<[Node]>,
}

/// An action in its chain.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Node {
    action: Action,
    /// Where it is done; none where the whole range has one landing pad.
    pad: Option<u64>,
    /// The number of the action after it.
    next: Option<u32>,
}

/// Where a call goes on when it unwinds, as a producer says it that has no table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handler {
    /// Where the call returns to.
    pub returns_to: u64,
    /// Where to go on.
    pub pad: u64,
    /// The number of the type of exceptions that it is for; any if there is none.
    pub number: Option<u32>,
    /// Where the frame holds what the type's number is to be understood in.
    pub context: Option<Place>,
}

/// A range of code whose calls unwind in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Where the range begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Where to go on, for the first of its actions; none if there is nothing to do in this function.
    pub landing_pad: Option<u64>,
    action: Option<u32>,
}

/// What a landing pad does, if it is entered with this selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Cleans up whatever the exception is; the selector is 0.
    Cleanup,
    /// Handles exceptions of a type.
    Catch {
        /// What tells the landing pad which type it was.
        selector: i32,
        /// The type.
        type_info: TypeInfo,
    },
    /// Handles exceptions of no type in the list.
    Filter {
        /// What tells the landing pad which list it was; negative.
        selector: i32,
        /// The types that may pass.
        types: Arc<[TypeInfo]>,
    },
}

/// A type of exceptions, as the producer names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TypeInfo {
    /// Whatever the type (`catch (...)`).
    Any,
    /// The type described at this address.
    At(u64),
    /// The type whose address lies at this address, which could not be read.
    InSlot(u64),
    /// The type with this number, of a producer that gives numbers to types.
    Number(u32),
    /// The type that has this number in a context, which is the value that the frame holds at this
    /// place: an instance of a module, say.
    NumberIn(u32, Place),
}

/// Bytes, and where they are when they are loaded.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// Where the first byte is.
    pub address: u64,
    /// The final bytes.
    pub bytes: &'a [u8],
}

impl CallSites {
    /// Reads the table at address `table` in a section, that of the function at `function`.
    /// `word` gives what memory holds at an address: some types are named by such words. `name`
    /// says whose table it is, for messages.
    ///
    /// # Errors
    ///
    /// Bytes that are no such table, end early, or contradict themselves.
    pub fn parse(
        name: impl Into<Arc<str>>,
        section: Span<'_>,
        table: u64,
        function: u64,
        word: impl Fn(u64) -> Option<u64>,
    ) -> Result<Self> {
        read(section, table, function, &word)
            .map_err(|what| Error::input(name, format!("call sites at {table:#x}: {what}")))
    }

    /// Those of the function at `code`, of whose calls the ones with handlers go on there, and the
    /// others just unwind. Handlers of a call are in the order in which they are to be tried; their
    /// selectors are the numbers of their types, or 0 for any.
    #[must_use]
    pub fn new(code: Range<u64>, mut handlers: Vec<Handler>) -> Self {
        handlers.sort_by_key(|handler| handler.returns_to);
        let (mut sites, mut actions) = (Vec::new(), Vec::new());
        let mut at = code.start;
        for call in handlers.chunk_by(|one, other| one.returns_to == other.returns_to) {
            let end = call[0].returns_to;
            let start = end.wrapping_sub(1);
            if end <= at || end > code.end {
                continue;
            }
            let first = actions.len() as u32;
            let last = first + call.len() as u32 - 1;
            actions.extend((first..).zip(call).map(|(number, handler)| Node {
                action: handler.action(),
                pad: Some(handler.pad),
                next: (number < last).then_some(number + 1),
            }));
            sites.push(CallSite { start: at, end: start, landing_pad: None, action: None });
            let landing_pad = Some(call[0].pad);
            sites.push(CallSite { start, end, landing_pad, action: Some(first) });
            at = end;
        }
        sites.push(CallSite { start: at, end: code.end, landing_pad: None, action: None });
        sites.retain(|site| site.start < site.end);
        Self { sites: sites.into(), actions: actions.into() }
    }

    /// All ranges, in the order of their addresses.
    #[must_use]
    pub fn sites(&self) -> &[CallSite] {
        &self.sites
    }

    /// The range that the instruction at `address` is in. Nothing may unwind from an instruction
    /// outside of every range. The address of a call is one less than where it returns to.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<&CallSite> {
        let after = self.sites.partition_point(|site| site.start <= address);
        self.sites[..after].last().filter(|site| address < site.end)
    }

    /// What the landing pad of a range does, in the order in which it is to be tried.
    pub fn actions(&self, site: &CallSite) -> impl Iterator<Item = &Action> {
        self.handlers(site).map(|(_, action)| action)
    }

    /// As [`CallSites::actions`], each with where to go on for it.
    pub fn handlers(&self, site: &CallSite) -> impl Iterator<Item = (u64, &Action)> {
        let mut next = site.action;
        let site_pad = site.landing_pad;
        let cleanup = site_pad.filter(|_| next.is_none()).map(|pad| (pad, &Action::Cleanup));
        let chain = std::iter::from_fn(move || {
            let node = &self.actions[next? as usize];
            next = node.next;
            Some((node.pad.or(site_pad)?, &node.action))
        });
        cleanup.into_iter().chain(chain)
    }
}

impl Handler {
    fn action(&self) -> Action {
        let Some(number) = self.number else {
            return Action::Catch { selector: 0, type_info: TypeInfo::Any };
        };
        let type_info = match self.context {
            Some(place) => TypeInfo::NumberIn(number, place),
            None => TypeInfo::Number(number),
        };
        Action::Catch { selector: number.cast_signed(), type_info }
    }
}

/// What is read of one table.
struct Table<'a> {
    encoded: Encoded<'a>,
    actions: Bytes<'a>,
    /// How types are written, and where, from the end of the types.
    types: Option<(DwEhPe, usize)>,
    nodes: Vec<Node>,
    /// Numbers of actions, by where they stand among the actions.
    known: FxHashMap<usize, u32>,
    filters: FxHashMap<i32, Arc<[TypeInfo]>>,
    /// How many types filters may still name: damaged filters must not multiply.
    types_left: usize,
}

fn read(
    section: Span<'_>,
    table: u64,
    function: u64,
    word: &dyn Fn(u64) -> Option<u64>,
) -> Read<CallSites> {
    let start = usize::try_from(table.wrapping_sub(section.address)).unwrap_or(usize::MAX);
    let bytes = section.bytes.get(start..).ok_or("it is not in its section")?;
    let encoded = Encoded { section, word };
    let mut reader = Bytes::new(bytes, LittleEndian);
    let base = match DwEhPe(u8(&mut reader)?) {
        gimli::DW_EH_PE_omit => function,
        encoding => match encoded.pointer(&mut reader, encoding)? {
            TypeInfo::At(base) => base,
            _ => return Err("landing pads are counted from nowhere".into()),
        },
    };
    let types = match DwEhPe(u8(&mut reader)?) {
        gimli::DW_EH_PE_omit => None,
        encoding => {
            let distance = uleb(&mut reader)?;
            let at = usize::try_from(distance).ok();
            let at = at.and_then(|at| encoded.offset_of(&reader).checked_add(at));
            let at = at.filter(|&at| at <= section.bytes.len());
            Some((encoding, at.ok_or_else(|| format!("types {distance:#x} bytes on"))?))
        }
    };
    let encoding = DwEhPe(u8(&mut reader)?);
    let length = usize::try_from(uleb(&mut reader)?).unwrap_or(usize::MAX);
    if length > reader.len() {
        return Err(format!("{length} bytes of call sites, but {} are left", reader.len()));
    }
    let mut sites = reader.split(length).map_err(text)?;
    let mut table = Table {
        encoded,
        actions: reader,
        types,
        nodes: Vec::new(),
        known: FxHashMap::default(),
        filters: FxHashMap::default(),
        types_left: section.bytes.len(),
    };
    let mut found: Vec<CallSite> = Vec::new();
    while !sites.is_empty() {
        let site = table.site(&mut sites, encoding, function, base)?;
        if found.last().is_some_and(|last| site.start < last.end) {
            return Err(format!("the range at {:#x} begins within another", site.start));
        }
        found.push(site);
    }
    Ok(CallSites { sites: found.into(), actions: table.nodes.into() })
}

impl Table<'_> {
    fn site(
        &mut self,
        sites: &mut Bytes<'_>,
        encoding: DwEhPe,
        function: u64,
        base: u64,
    ) -> Read<CallSite> {
        let [start, size, pad] = [
            number(sites, encoding)?.cast_unsigned(),
            number(sites, encoding)?.cast_unsigned(),
            number(sites, encoding)?.cast_unsigned(),
        ];
        let action = uleb(sites)?;
        let start = function.checked_add(start);
        let range = start.and_then(|start| Some((start, start.checked_add(size)?)));
        let (start, end) = range.ok_or("a range beyond the end of memory")?;
        Ok(CallSite {
            start,
            end,
            landing_pad: (pad != 0).then(|| base.wrapping_add(pad)),
            action: match action.checked_sub(1) {
                Some(at) => Some(self.chain(usize::try_from(at).unwrap_or(usize::MAX))?),
                None => None,
            },
        })
    }

    /// The number of the action at `at`, with those that come after it.
    fn chain(&mut self, mut at: usize) -> Read<u32> {
        let first = self.nodes.len() as u32;
        let mut previous: Option<u32> = None;
        loop {
            let known = self.known.get(&at).copied();
            if known.is_some_and(|known| known >= first) {
                return Err("its actions go in a circle".into());
            }
            let number = known.unwrap_or(self.nodes.len() as u32);
            if let Some(previous) = previous {
                self.nodes[previous as usize].next = Some(number);
            }
            if known.is_some() {
                return Ok(previous.map_or(number, |_| first));
            }
            let (action, next) = self.action(at)?;
            self.known.insert(at, number);
            self.nodes.push(Node { action, pad: None, next: None });
            let Some(next) = next else { return Ok(first) };
            (at, previous) = (next, Some(number));
        }
    }

    /// The action at `at`, and where the next one is.
    fn action(&mut self, at: usize) -> Read<(Action, Option<usize>)> {
        let missing = || format!("there is no action at {at:#x}");
        let mut reader =
            Bytes::new(self.actions.slice().get(at..).ok_or_else(missing)?, LittleEndian);
        let before = reader.len();
        let selector = i32::try_from(sleb(&mut reader)?).map_err(text)?;
        let here = at + before - reader.len();
        let distance = sleb(&mut reader)?;
        let next = match distance {
            0 => None,
            _ => {
                let next = i64::try_from(here).ok().and_then(|here| here.checked_add(distance));
                let next = next.and_then(|next| usize::try_from(next).ok());
                Some(next.ok_or_else(|| format!("an action {distance} bytes from {here:#x}"))?)
            }
        };
        let action = match selector {
            0 => Action::Cleanup,
            1.. => Action::Catch { selector, type_info: self.type_info(selector.unsigned_abs())? },
            _ => Action::Filter { selector, types: self.filter(selector)? },
        };
        Ok((action, next))
    }

    /// The type with this number, counted from 1.
    fn type_info(&self, number: u32) -> Read<TypeInfo> {
        let (encoding, end) = self.types.ok_or("an action for a type, but there are no types")?;
        let size = size_of(encoding).ok_or_else(|| unknown(encoding))?;
        let back = usize::try_from(number).ok().and_then(|number| number.checked_mul(size));
        let start = back.and_then(|back| end.checked_sub(back));
        let bytes = self.encoded.section.bytes;
        let start = start.ok_or_else(|| format!("type {number} is before the section"))?;
        self.encoded.pointer(&mut Bytes::new(&bytes[start..], LittleEndian), encoding)
    }

    /// The types in the list that a negative selector names.
    fn filter(&mut self, selector: i32) -> Read<Arc<[TypeInfo]>> {
        if let Some(types) = self.filters.get(&selector) {
            return Ok(types.clone());
        }
        let (_, end) = self.types.ok_or("a filter of types, but there are no types")?;
        let start = end + (-1 - i64::from(selector)) as usize;
        let bytes = self.encoded.section.bytes;
        let bytes = bytes.get(start..).ok_or_else(|| format!("there is no filter {selector}"))?;
        let mut reader = Bytes::new(bytes, LittleEndian);
        let mut types = Vec::new();
        loop {
            let number = uleb(&mut reader)?;
            if number == 0 {
                break;
            }
            self.types_left = self.types_left.checked_sub(1).ok_or("too many types in filters")?;
            types.push(self.type_info(u32::try_from(number).map_err(text)?)?);
        }
        let types: Arc<[TypeInfo]> = types.into();
        self.filters.insert(selector, types.clone());
        Ok(types)
    }
}

#[cfg(test)]
mod tests;
