//! The one error of this crate: cheap to clone, because one failed compile fails every waiter.

use std::fmt;
use std::sync::Arc;

use crate::symbol::Name;

/// What went wrong, with the symbol, file or value it concerns.
///
/// Cloning copies a pointer. The predicates tell the cases apart; the text is for people.
#[derive(Clone)]
pub struct Error(Arc<Kind>);

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("undefined symbol: {name}{}", needed_by(.user))]
    Undefined { name: Name, user: Option<Name> },
    #[error("symbol {name} is defined twice: in {first} and in {second}")]
    Duplicate { name: Name, first: Arc<str>, second: Arc<str> },
    #[error(
        "{kind} at {place:#x} in {graph} cannot reach {name}: value {} is outside {}..={}",
        Hex(*.value),
        Hex(*.low),
        Hex(*.high)
    )]
    OutOfRange {
        kind: &'static str,
        graph: Arc<str>,
        place: u64,
        name: Name,
        value: i128,
        low: i128,
        high: i128,
    },
    #[error("{file}: {what}")]
    Input { file: Arc<str>, what: String },
    #[error("cannot compile {name}: {what}")]
    Compile { name: Name, what: String },
    #[error("out of {zone} memory: {wanted} bytes wanted, {left} left of {limit}")]
    Memory { zone: &'static str, wanted: u64, left: u64, limit: u64 },
    #[error("{call}: {error}")]
    System { call: &'static str, error: std::io::Error },
    #[error("cannot load {file}: {what}")]
    Library { file: String, what: String },
    #[error("{0}")]
    Other(String),
}

/// A number with its sign before it, in hexadecimal.
struct Hex(i128);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:#x}", if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs())
    }
}

fn needed_by(user: &Option<Name>) -> String {
    user.as_ref().map_or_else(String::new, |user| format!(", needed by {user}"))
}

impl Error {
    /// A name that no module, resolver or process library defines; `user` is the code that needs it.
    #[must_use]
    pub fn undefined(name: Name, user: Option<Name>) -> Self {
        Kind::Undefined { name, user }.into()
    }

    /// Input bytes of `file` that cannot be read as what they should be.
    #[must_use]
    pub fn input(file: impl Into<Arc<str>>, what: impl fmt::Display) -> Self {
        Kind::Input { file: file.into(), what: what.to_string() }.into()
    }

    /// A definition whose code could not be produced.
    #[must_use]
    pub fn compile(name: Name, what: impl fmt::Display) -> Self {
        Kind::Compile { name, what: what.to_string() }.into()
    }

    /// Any other failure, as a sentence.
    #[must_use]
    pub fn other(what: impl fmt::Display) -> Self {
        Kind::Other(what.to_string()).into()
    }

    pub(crate) fn system(call: &'static str) -> Self {
        Kind::System { call, error: std::io::Error::last_os_error() }.into()
    }

    /// Is this a symbol that nobody defines?
    #[must_use]
    pub fn is_undefined(&self) -> bool {
        matches!(*self.0, Kind::Undefined { .. })
    }

    /// Is this a symbol with two strong definitions?
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(*self.0, Kind::Duplicate { .. })
    }

    /// Is this a relocation whose value does not fit?
    #[must_use]
    pub fn is_out_of_range(&self) -> bool {
        matches!(*self.0, Kind::OutOfRange { .. })
    }

    /// Is this input that could not be read?
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(*self.0, Kind::Input { .. } | Kind::Library { .. })
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}
