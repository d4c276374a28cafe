//! The link graph: the one neck between a compiler and the linker.
//!
//! A graph is what one compile produced, before it has an address: sections of bytes, the symbols
//! it defines or needs, and edges, each a place in a section whose bytes depend on a symbol.
#![forbid(unsafe_code)]

mod dump;
mod elf;
pub(crate) mod fixup;
mod image;
mod listing;
#[cfg(test)]
pub(crate) mod sample;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::dump::Hex;
pub use self::image::{Image, Layout};
pub use self::listing::{Content, Listed, Standing};
use crate::metadata::{self, Record, Tag};
use crate::symbol::{Linkage, Name, ScopeId, SymbolId, SymbolKind, Visibility};
use crate::target::Isa;

/// What one compile produced, still without addresses.
#[derive(Clone, Debug)]
pub struct LinkGraph {
    /// Who made it, for messages.
    pub name: Arc<str>,
    /// What its code is for, and what the kinds of its edges mean.
    pub isa: &'static Isa,
    /// The module whose local names it sees; [`ScopeId::GLOBAL`] if it is the one that was asked.
    pub scope: ScopeId,
    /// The sections, loaded or not.
    pub sections: Vec<Section>,
    /// Defined and needed symbols; edges name them by index.
    pub symbols: Vec<Symbol>,
    /// The symbol that stands for the definition asked for, under whatever name the table knows it.
    pub entry: Option<usize>,
    /// Signatures of comdat groups; sections name them by index.
    pub groups: Vec<Name>,
    /// What the code took for granted of other symbols.
    pub dependencies: Vec<Dependency>,
    /// By the indices of symbols in other graphs: the types that the code takes functions to be of, as
    /// [`Source::signature`](crate::Source::signature) writes them. Compilers need only say so for
    /// sessions that [compare](crate::Builder::signatures) them.
    pub signatures: Vec<(usize, String)>,
    /// What the virtual machine is to know of places in the code, beside what sections say.
    pub notes: Vec<Note>,
    /// The compile that made it, where there was one. Compilers need only say so for sessions where
    /// [somebody hears](crate::Session::has_listeners) of it.
    pub compile: Option<Box<Compile>>,
}

/// What a producer says of a place in its code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Index in [`LinkGraph::sections`].
    pub section: usize,
    /// Bytes from the start of the section: of a call, where it returns to; of anything else, where
    /// the instruction begins.
    pub offset: u64,
    /// What it says.
    pub what: Noted,
}

/// What is said of a place in the code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Noted {
    /// Where values are during the call; function and offset in the record do not count.
    Record(Record),
    /// Where the call goes on when it unwinds. Of several handlers of a call, the first that takes the
    /// exception counts.
    Handler {
        /// Bytes from the start of the section.
        pad: u64,
        /// The number of the type of exceptions that it takes; any if there is none.
        number: Option<u32>,
        /// Where the frame holds what that number is to be understood in.
        context: Option<metadata::Place>,
    },
    /// The instruction can trap, and that is why, by the producer's own numbers.
    Trap(u32),
    /// What the producer was told to pass on.
    Tags {
        /// Is it about the call that returns there, rather than about what comes next?
        is_call: bool,
        /// In their order.
        tags: Vec<Tag>,
    },
}

/// What code took for granted while it was compiled. When it no longer holds, the code is not called
/// again, and compiled anew at the next call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dependency {
    /// The body of a function, which was inlined.
    Body {
        /// Index of the function in [`LinkGraph::symbols`].
        symbol: usize,
        /// As [`Source::body_hash`](crate::Source::body_hash) gives it.
        hash: u64,
    },
    /// An assumption of the virtual machine's.
    Assumption(SymbolId),
}

/// The compile that made a graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compile {
    /// When it began.
    pub began: Instant,
    /// When the graph was there.
    pub ended: Instant,
    /// What took how long, one after the other from the beginning on; the rest has no name.
    pub phases: [(&'static str, Duration); 4],
}

/// Bytes that are placed together, in one piece.
#[derive(Clone, Debug)]
pub struct Section {
    /// The producer's name of it, such as `.text`.
    pub name: Cow<'static, str>,
    /// Where it goes.
    pub kind: SectionKind,
    /// Alignment in bytes, a power of two.
    pub align: u64,
    /// Size in bytes; more than `bytes.len()` where the rest is zero.
    pub size: u64,
    /// The contents.
    pub bytes: Vec<u8>,
    /// Places whose bytes depend on a symbol.
    pub edges: Vec<Edge>,
    /// The comdat group it stands or falls with.
    pub group: Option<usize>,
}

/// What a section is for, hence in which memory it is placed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SectionKind {
    /// Instructions.
    Code,
    /// Data that no one writes once it is linked.
    ReadOnly,
    /// Data that may be written.
    Data,
    /// The initial image of thread-local data.
    ThreadLocal,
    /// Unwind records in `.eh_frame` format.
    Unwind,
    /// Addresses of constructors, with their priority.
    Init(u16),
    /// Addresses of destructors, with their priority.
    Fini(u16),
    /// LLVM stack maps, version 3.
    StackMaps,
    /// DWARF and others that are not loaded.
    Unloaded,
}

/// A place in a section whose bytes depend on a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Bytes from the start of the section.
    pub offset: u64,
    /// How the bytes are computed.
    pub kind: EdgeKind,
    /// Index of the symbol in [`LinkGraph::symbols`].
    pub target: usize,
    /// Bytes added to the symbol's address.
    pub addend: i64,
}

/// The kind of an edge: the relocation number of the ELF supplement (psABI) of the graph's
/// instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EdgeKind(pub u32);

/// A symbol that a graph defines or needs.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// Its name; empty for a section's own symbol.
    pub name: Name,
    /// Where it is.
    pub place: Place,
    /// Who else may use it, and how it competes.
    pub binding: Binding,
    /// Who may see it.
    pub visibility: Visibility,
    /// What it stands for, where the producer says so.
    pub kind: Option<SymbolKind>,
    /// Size in bytes, 0 where unknown.
    pub size: u64,
}

/// Where a graph's symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In another graph, or nowhere.
    Undefined,
    /// In a section of this graph.
    Section {
        /// Index in [`LinkGraph::sections`].
        index: usize,
        /// Bytes from the start of the section.
        offset: u64,
    },
    /// At a fixed value.
    Absolute(u64),
    /// A tentative definition, to be allocated.
    Common {
        /// Alignment in bytes.
        align: u64,
    },
}

/// Who else may use a graph's symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// This graph alone.
    Graph,
    /// The module it comes from; the number is the module's own key of the definition.
    Module(u64),
    /// The module of another scope, a body of which was inlined; the number is that module's key.
    Imported(ScopeId, u64),
    /// Whoever means this symbol of the session; its name here is for people. An undefined weak symbol
    /// may stay undefined.
    Session(SymbolId, Linkage),
    /// Every module, competing under this linkage. An undefined weak symbol may stay undefined.
    Global(Linkage),
}

impl LinkGraph {
    /// A graph of one section, for what runs here, in which the first symbol is the definition asked
    /// for.
    #[must_use]
    pub fn of_section(name: Arc<str>, section: Section, symbols: Vec<Symbol>) -> Self {
        Self::of_sections(name, vec![section], symbols)
    }

    /// As [`LinkGraph::of_section`], of several.
    #[must_use]
    pub fn of_sections(name: Arc<str>, sections: Vec<Section>, symbols: Vec<Symbol>) -> Self {
        Self {
            name,
            isa: Isa::NATIVE,
            scope: ScopeId::GLOBAL,
            sections,
            symbols,
            entry: Some(0),
            groups: Vec::new(),
            dependencies: Vec::new(),
            signatures: Vec::new(),
            notes: Vec::new(),
            compile: None,
        }
    }

    /// How many functions it defines, as far as its producer says what they are.
    #[must_use]
    pub fn functions(&self) -> u64 {
        let is_function = |symbol: &&Symbol| match symbol.place {
            Place::Section { index, .. } => {
                symbol.kind == Some(SymbolKind::Function) && self.sections[index].kind.is_loaded()
            }
            _ => false,
        };
        self.symbols.iter().filter(is_function).count() as u64
    }
}

impl Symbol {
    /// A reference to a symbol that every module can see.
    #[must_use]
    pub fn undefined(name: Name) -> Self {
        Self {
            name,
            place: Place::Undefined,
            binding: Binding::Global(Linkage::Strong),
            visibility: Visibility::Default,
            kind: None,
            size: 0,
        }
    }
}

impl SectionKind {
    /// Does the section get memory of its own?
    #[must_use]
    pub fn is_loaded(self) -> bool {
        self != Self::Unloaded
    }
}
