//! Symbols, and what a module says of them: descriptors, linkage.

mod name;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

pub use self::name::Name;

/// A number that tells the symbols and scopes of one session from those of another: in the upper bits
/// of theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SessionTag(u32);

impl SessionTag {
    pub(crate) const SHIFT: u32 = 24;
    /// So many sessions have tags that differ. (The numbers stay positive as 32 bits: stubs push them.)
    const TAGS: u32 = 127;

    /// That of a new session.
    pub(crate) fn next() -> Self {
        static SESSIONS: AtomicU32 = AtomicU32::new(0);
        let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
        Self((number % Self::TAGS + 1) << Self::SHIFT)
    }

    /// The number of this session for an index.
    ///
    /// # Panics
    ///
    /// After 16 million.
    pub(crate) fn number(self, index: usize) -> u32 {
        assert!(index < 1 << Self::SHIFT, "16 million symbols, or scopes, are too many");
        self.0 | index as u32
    }

    /// The index that a number of this session is for.
    pub(crate) fn index(self, number: u32) -> Option<usize> {
        (number >> Self::SHIFT == self.0 >> Self::SHIFT).then(|| untagged(number) as usize)
    }
}

fn untagged(number: u32) -> u32 {
    number & ((1 << SessionTag::SHIFT) - 1)
}

/// A symbol of one session: the index of its entry in the session's table.
///
/// Another session refuses it, or does as if nobody defined it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SymbolId(pub(crate) u32);

impl SymbolId {
    /// No symbol, of no session.
    pub const NONE: Self = Self(u32::MAX);

    /// The index, unique in the session.
    #[must_use]
    pub fn index(self) -> u32 {
        untagged(self.0)
    }

    /// The number that stands for it, and that [`Session::symbol_numbered`] finds it by.
    ///
    /// [`Session::symbol_numbered`]: crate::Session::symbol_numbered
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// Where a name is looked up: the session's one global scope, or the local names of one module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScopeId(pub(crate) u32);

impl ScopeId {
    /// The names every module shares.
    pub const GLOBAL: Self = Self(0);
    /// The texts of assumptions.
    pub(crate) const ASSUMPTIONS: Self = Self(u32::MAX);
    /// Of symbols that are gone.
    pub(crate) const NONE: Self = Self(u32::MAX - 1);

    /// The number, unique in the session.
    #[must_use]
    pub fn index(self) -> u32 {
        untagged(self.0)
    }
}

/// An address in this process, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Addr(pub u64);

impl Addr {
    /// The address `bytes` further on, modulo 2⁶⁴.
    #[must_use]
    pub fn offset(self, bytes: i64) -> Self {
        Self(self.0.wrapping_add_signed(bytes))
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// How a definition competes with others of the same name (the ELF and LLVM rules).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Linkage {
    /// The one definition; a second strong one is an error.
    Strong,
    /// Gives way to a strong or common definition; among weak ones the first wins.
    Weak,
    /// A tentative C definition: gives way to a strong one, merges with other common ones by
    /// taking the largest size and alignment.
    Common,
}

/// Who may see a definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Visibility {
    /// Everyone.
    #[default]
    Default,
    /// The session's modules.
    Hidden,
    /// Everyone; references inside the module cannot be interposed.
    Protected,
}

/// How calls reach a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Binding {
    /// Straight, wherever a call can be rewritten; a redefinition rewrites it.
    #[default]
    Direct,
    /// Over the function's stub and slot; a redefinition is one store.
    Slot,
}

/// What to do about a reference to a function whose type is not that of the definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Signatures {
    /// Nothing: C programs do it.
    #[default]
    Allow,
    /// The code that refers to it so is not linked; a definition that comes later than such code is
    /// not called.
    Refuse,
}

/// What a symbol stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SymbolKind {
    /// Code; it has a stub and can be bound late.
    Function,
    /// Code chosen by calling a resolver at the first call (`ifunc`).
    Indirect,
    /// An object in memory.
    Data,
    /// An object each thread has its own copy of.
    ThreadLocal,
}

/// What a module says of a symbol that it defines.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// The name other modules use.
    pub name: Name,
    /// Function, data, …
    pub kind: SymbolKind,
    /// How it competes with other definitions of the name.
    pub linkage: Linkage,
    /// Who may see it.
    pub visibility: Visibility,
    /// A hash of its type, where the producer knows one; equal types have equal hashes.
    pub signature: Option<u64>,
    /// Size in bytes of a common definition (else 0).
    pub size: u64,
    /// Alignment in bytes of a common definition (else 1).
    pub align: u64,
}

impl Descriptor {
    /// A strong, visible definition of `name`.
    #[must_use]
    pub fn strong(name: Name, kind: SymbolKind) -> Self {
        Self {
            name,
            kind,
            linkage: Linkage::Strong,
            visibility: Visibility::Default,
            signature: None,
            size: 0,
            align: 1,
        }
    }
}
