//! Lines: which place in the source an instruction comes from, through inlined calls.

use std::fmt;
use std::sync::Arc;

use addr2line::Context;
use gimli::{EndianArcSlice, LittleEndian};
use parking_lot::Mutex;

use crate::error::{Error, Result};

type Bytes = EndianArcSlice<LittleEndian>;

/// Debug information of some code (DWARF 5), by final address.
pub struct Lines {
    name: Arc<str>,
    /// Reads what it is asked for, and remembers it.
    context: Mutex<Context<Bytes>>,
}

/// A place in the source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// The function, by its linkage name if it has one.
    pub function: Option<String>,
    /// The file.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column, counted from 1.
    pub column: Option<u32>,
}

impl Lines {
    /// Reads debug information. `section` gives the bytes of a section by its name, with final
    /// addresses in them, and nothing for one that is not there; `name` says whose they are, for
    /// messages.
    ///
    /// # Errors
    ///
    /// Damaged headers. What is damaged beyond is found when it is asked for.
    pub fn parse(
        name: impl Into<Arc<str>>,
        section: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self> {
        let name = name.into();
        let load = |id: gimli::SectionId| -> std::result::Result<Bytes, gimli::Error> {
            let bytes = section(id.name()).unwrap_or_default();
            Ok(Bytes::new(bytes.into(), LittleEndian))
        };
        let context = gimli::Dwarf::load(load).and_then(Context::from_dwarf);
        let context = context.map_err(|error| failed(&name, error))?;
        Ok(Self { name, context: Mutex::new(context) })
    }

    /// Where the instruction at `address` comes from: the function it was inlined into last, and the
    /// calls that led there. Empty if nothing is known of it.
    ///
    /// # Errors
    ///
    /// Damaged debug information.
    pub fn at(&self, address: u64) -> Result<Vec<Line>> {
        self.find(address).map_err(|error| failed(&self.name, error))
    }

    fn find(&self, address: u64) -> std::result::Result<Vec<Line>, gimli::Error> {
        let context = self.context.lock();
        let mut frames = context.find_frames(address).skip_all_loads()?;
        let mut lines = Vec::new();
        while let Some(frame) = frames.next()? {
            let location = frame.location.unwrap_or(addr2line::Location {
                file: None,
                line: None,
                column: None,
            });
            let name = frame.function.and_then(|function| Some(function.raw_name().ok()?.into()));
            lines.push(Line {
                function: name,
                file: location.file.map(Into::into),
                line: location.line,
                column: location.column.filter(|&column| column != 0),
            });
        }
        Ok(lines)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({})", self.name)
    }
}

fn failed(name: &Arc<str>, error: gimli::Error) -> Error {
    Error::input(name.clone(), format!("debug information: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_headers_are_refused() {
        let section = |name: &str| (name == ".debug_info").then(|| vec![0xff; 16]);
        let error = Lines::parse("f", section).unwrap_err();
        assert!(error.is_input() && error.to_string().starts_with("f: debug information: "));
    }

    #[test]
    fn nothing_is_known_without_sections() {
        let lines = Lines::parse("f", |_| None).unwrap();
        assert_eq!(lines.at(0x1000).unwrap(), []);
    }
}
