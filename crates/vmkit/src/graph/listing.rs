//! What a module defines and needs, symbol by symbol, as `nm` lists it.

use super::{Binding, LinkGraph, Place, Section, SectionKind, Symbol};
use crate::symbol::{Linkage, Name, SymbolKind};

/// A symbol that a module defines or needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name.
    pub name: Name,
    /// How the module stands to it.
    pub standing: Standing,
    /// What it stands for, where the module says so.
    pub kind: Option<SymbolKind>,
    /// What lies there, of a definition.
    pub content: Content,
}

/// How a module stands to a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The module defines it for all.
    Defined(Linkage),
    /// The module defines it for itself.
    Private,
    /// The module needs it.
    Needed,
    /// The module can do without it.
    NeededWeakly,
}

/// What lies at a definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// Instructions.
    Code,
    /// Data that is only read.
    Constant,
    /// Data that is written, by the program or by the linker.
    Data,
    /// Zeros at first.
    Zeros,
    /// Nothing that is loaded.
    Unloaded,
}

impl LinkGraph {
    /// The named symbols of the graph, but for the assembler's own.
    #[must_use]
    pub fn listing(&self) -> Vec<Listed> {
        self.symbols.iter().filter_map(|symbol| self.listed(symbol)).collect()
    }

    fn listed(&self, symbol: &Symbol) -> Option<Listed> {
        let standing = match (symbol.place, symbol.binding) {
            (
                Place::Section { .. },
                Binding::Graph | Binding::Module(_) | Binding::Imported(..) | Binding::Session(..),
            ) => Standing::Private,
            (Place::Undefined, Binding::Global(Linkage::Weak)) => Standing::NeededWeakly,
            (Place::Undefined, Binding::Global(_)) => Standing::Needed,
            (_, Binding::Global(linkage)) => Standing::Defined(linkage),
            // Names of files, and the like.
            (
                _,
                Binding::Graph | Binding::Module(_) | Binding::Imported(..) | Binding::Session(..),
            ) => return None,
        };
        let content = match symbol.place {
            Place::Section { index, .. } => content(&self.sections[index]),
            Place::Common { .. } => Content::Zeros,
            Place::Undefined | Place::Absolute(_) => Content::Unloaded,
        };
        let name = symbol.name.bytes();
        (!name.is_empty() && !name.starts_with(b".L")).then(|| Listed {
            name: symbol.name.clone(),
            standing,
            kind: symbol.kind,
            content,
        })
    }
}

fn content(section: &Section) -> Content {
    match section.kind {
        SectionKind::Code => Content::Code,
        // Read-only once it is linked; to those who list objects it is data.
        SectionKind::ReadOnly if section.name.starts_with(".data.rel.ro") => Content::Data,
        SectionKind::ReadOnly | SectionKind::Unwind | SectionKind::StackMaps => Content::Constant,
        SectionKind::Unloaded => Content::Unloaded,
        _ if section.bytes.is_empty() => Content::Zeros,
        _ => Content::Data,
    }
}
