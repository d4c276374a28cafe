//! The text form of a graph: for people, and for tests that compare it.

use std::fmt;

use super::{Binding, Edge, LinkGraph, Place, Section, Symbol};
use crate::symbol::{Linkage, Visibility};

/// Bytes on one line.
const WIDTH: usize = 16;

/// Bytes in lines of sixteen, each with its offset. Of equal lines, what is between the first and the
/// last is one asterisk.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.chunks(WIDTH).collect();
        let is_between = |at: usize| {
            at > 0 && lines.get(at - 1..at + 2).is_some_and(|l| l[0] == l[1] && l[1] == l[2])
        };
        for (number, line) in lines.iter().enumerate() {
            match (is_between(number), number > 0 && is_between(number - 1)) {
                (true, true) => {}
                (true, false) => writeln!(f, "  *")?,
                (false, _) => {
                    write!(f, "  {:04x}:", number * WIDTH)?;
                    line.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                    writeln!(f)?;
                }
            }
        }
        Ok(())
    }
}

/// Sections with their bytes and edges, then the symbols. Equal graphs have equal texts.
impl fmt::Display for LinkGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in &self.sections {
            self.section(f, section)?;
        }
        for name in &self.groups {
            writeln!(f, "group {name}")?;
        }
        for (number, symbol) in self.symbols.iter().enumerate() {
            // The null symbol, and those of whole sections, say nothing that is not said above.
            if !symbol.name.bytes().is_empty() {
                let entry = if self.entry == Some(number) { ", entry" } else { "" };
                writeln!(f, "{}{entry}", Line { graph: self, symbol })?;
            }
        }
        Ok(())
    }
}

impl LinkGraph {
    fn section(&self, f: &mut fmt::Formatter<'_>, section: &Section) -> fmt::Result {
        let Section { name, kind, align, size, bytes, .. } = section;
        write!(f, "section {name}: {kind:?}, {size} bytes, align {align}")?;
        if let Some(group) = section.group {
            write!(f, ", group {}", self.groups[group])?;
        }
        writeln!(f)?;
        write!(f, "{}", Hex(bytes))?;
        section.edges.iter().try_for_each(|edge| self.edge(f, edge))
    }

    fn edge(&self, f: &mut fmt::Formatter<'_>, edge: &Edge) -> fmt::Result {
        write!(f, "  {:04x}: ", edge.offset)?;
        match self.isa.edge(edge.kind.0) {
            Some(row) => write!(f, "{}", row.name)?,
            None => write!(f, "relocation {}", edge.kind.0)?,
        }
        match self.symbols.get(edge.target) {
            Some(symbol) => write!(f, " {}", self.label(symbol))?,
            None => write!(f, " symbol {}", edge.target)?,
        }
        match edge.addend {
            0 => writeln!(f),
            addend if addend < 0 => writeln!(f, " - {:#x}", addend.unsigned_abs()),
            addend => writeln!(f, " + {addend:#x}"),
        }
    }

    /// A symbol's name; of one without a name, where it is.
    fn label(&self, symbol: &Symbol) -> String {
        match symbol.place {
            _ if !symbol.name.bytes().is_empty() => symbol.name.to_string(),
            Place::Section { index, offset: 0 } => self.sections[index].name.to_string(),
            Place::Section { index, offset } => {
                format!("{}+{offset:#x}", self.sections[index].name)
            }
            Place::Undefined | Place::Absolute(_) | Place::Common { .. } => "nothing".into(),
        }
    }
}

/// A symbol on a line of its own.
struct Line<'a> {
    graph: &'a LinkGraph,
    symbol: &'a Symbol,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = self.symbol;
        write!(f, "symbol {}: ", symbol.name)?;
        match symbol.place {
            Place::Undefined => write!(f, "undefined")?,
            Place::Section { index, offset } => {
                write!(f, "{}+{offset:#x}", self.graph.sections[index].name)?;
            }
            Place::Absolute(value) => write!(f, "absolute {value:#x}")?,
            Place::Common { align } => write!(f, "common, align {align}")?,
        }
        match symbol.binding {
            Binding::Graph => write!(f, ", own")?,
            Binding::Module(key) => write!(f, ", module's {key}")?,
            Binding::Session(id, Linkage::Weak) => write!(f, ", weak, symbol {}", id.index())?,
            Binding::Session(id, _) => write!(f, ", symbol {}", id.index())?,
            Binding::Imported(scope, key) => write!(f, ", scope {}'s {key}", scope.index())?,
            Binding::Global(Linkage::Strong) => {}
            Binding::Global(Linkage::Weak) => write!(f, ", weak")?,
            Binding::Global(Linkage::Common) => write!(f, ", tentative")?,
        }
        if symbol.visibility != Visibility::Default {
            write!(f, ", {:?}", symbol.visibility)?;
        }
        if let Some(kind) = symbol.kind {
            write!(f, ", {kind:?}")?;
        }
        if symbol.size != 0 {
            write!(f, ", {} bytes", symbol.size)?;
        }
        Ok(())
    }
}
