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
    #[error(
        "{kind} at {place:#x} in {graph} cannot name {name}: value {} is no multiple of {align}",
        Hex(*.value)
    )]
    Misaligned {
        kind: &'static str,
        graph: Arc<str>,
        place: u64,
        name: Name,
        value: i128,
        align: u8,
    },
    #[error("{file}: {what}")]
    Input { file: Arc<str>, what: String },
    #[error("cannot compile {name}: {what}")]
    Compile { name: Name, what: String },
    #[error("out of {zone} memory: {wanted} bytes wanted, {left} left of {limit}")]
    Memory { zone: &'static str, wanted: u64, left: u64, limit: u64 },
    #[error("{call}: {error}")]
    System { call: &'static str, error: std::io::Error },
    #[error("cannot map {size} bytes of memory: {error}")]
    Map { size: usize, error: std::io::Error },
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

    /// Is this a relocation whose value does not fit, or is no multiple of what it must be one of?
    #[must_use]
    pub fn is_out_of_range(&self) -> bool {
        matches!(*self.0, Kind::OutOfRange { .. } | Kind::Misaligned { .. })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the text, and which of the predicates hold: undefined, duplicate, out of range, input.
    fn check(error: impl Into<Error>, text: &str, predicates: [bool; 4]) {
        let error = error.into();
        assert_eq!(error.to_string(), text);
        let found =
            [error.is_undefined(), error.is_duplicate(), error.is_out_of_range(), error.is_input()];
        assert_eq!(found, predicates, "{text}");
    }

    #[test]
    fn texts_name_what_they_concern() {
        const NONE: [bool; 4] = [false; 4];
        let undefined = [true, false, false, false];
        check(Error::undefined("f".into(), None), "undefined symbol: f", undefined);
        let user = Some("main".into());
        check(Error::undefined("f".into(), user), "undefined symbol: f, needed by main", undefined);
        check(
            Kind::Duplicate { name: "f".into(), first: "a.o".into(), second: "b.o".into() },
            "symbol f is defined twice: in a.o and in b.o",
            [false, true, false, false],
        );
        let input = [false, false, false, true];
        check(Error::input("a.o", "too short"), "a.o: too short", input);
        let library = Kind::Library { file: "x.so".into(), what: "not found".into() };
        check(library, "cannot load x.so: not found", input);
        check(Error::compile("f".into(), "no body"), "cannot compile f: no body", NONE);
        check(
            Kind::Memory { zone: "code", wanted: 10, left: 4, limit: 100 },
            "out of code memory: 10 bytes wanted, 4 left of 100",
            NONE,
        );
        check(Error::other("no"), "no", NONE);
    }

    #[test]
    fn values_out_of_range_have_a_sign() {
        let kind = Kind::OutOfRange {
            kind: "R_X86_64_PC32",
            graph: "a.o".into(),
            place: 0x1000,
            name: "far".into(),
            value: -0x1_0000_0000,
            low: i128::from(i32::MIN),
            high: i128::from(i32::MAX),
        };
        check(
            kind,
            "R_X86_64_PC32 at 0x1000 in a.o cannot reach far: value -0x100000000 is outside \
             -0x80000000..=0x7fffffff",
            [false, false, true, false],
        );
    }

    #[test]
    fn clones_share_their_contents() {
        let error = Error::other("no");
        assert!(Arc::ptr_eq(&error.0, &error.clone().0));
    }
}
