//! Names of symbols.
#![expect(unsafe_code, reason = "short names lie in the word that is a pointer for others")]

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use triomphe::ThinArc;

/// A symbol's name: any bytes but NUL, as in ELF. One word; cloning copies it. Up to seven bytes lie in
/// the word itself.
pub struct Name(NonNull<u8>);

type Long = ThinArc<(), u8>;

const WORD: usize = size_of::<usize>();
/// In the first byte of the word of a short name, below its length: what shared memory begins at is
/// even.
const SHORT: u8 = 1;

// The lowest bits of a pointer are in its first byte.
const _: () = assert!(cfg!(target_endian = "little") && align_of::<usize>() > 1);

// SAFETY: bytes that nobody changes, in the word or counted by an atomic number.
unsafe impl Send for Name {}
// SAFETY: as above.
unsafe impl Sync for Name {}

impl Name {
    /// The name with these bytes.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut word = [0; WORD];
        let Some(room) = word[1..].get_mut(..bytes.len()) else { return Self::long(bytes) };
        room.copy_from_slice(bytes);
        word[0] = (bytes.len() as u8) << 1 | SHORT;
        let word = NonZeroUsize::new(usize::from_le_bytes(word)).expect("the first byte is odd");
        Self(NonNull::without_provenance(word))
    }

    fn long(bytes: &[u8]) -> Self {
        let shared = Long::into_raw(Long::from_header_and_slice((), bytes));
        // SAFETY: shared memory lies somewhere.
        Self(unsafe { NonNull::new_unchecked(shared.cast_mut().cast()) })
    }

    /// The word, if it has the name itself.
    fn short(&self) -> Option<[u8; WORD]> {
        let word = self.0.addr().get().to_le_bytes();
        (word[0] & SHORT != 0).then_some(word)
    }

    /// The shared bytes, where they are not in the word.
    fn shared(&self) -> ManuallyDrop<Long> {
        // SAFETY: it came from `into_raw`, and is given back once, by `drop`.
        ManuallyDrop::new(unsafe { Long::from_raw(self.0.as_ptr().cast_const().cast()) })
    }

    /// The bytes, without a terminator.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (start, len) = match self.short() {
            Some(word) => ((&raw const self.0).cast::<u8>().wrapping_add(1), word[0] >> 1),
            None => {
                let shared = self.shared();
                let bytes = &shared.slice;
                // SAFETY: they stay where they are as long as this name, which counts.
                return unsafe { std::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) };
            }
        };
        // SAFETY: that many bytes after the first one of the word are the name's.
        unsafe { std::slice::from_raw_parts(start, len.into()) }
    }

    /// The name as C wants it; `None` where it holds a NUL.
    #[must_use]
    pub fn to_c_string(&self) -> Option<std::ffi::CString> {
        std::ffi::CString::new(self.bytes()).ok()
    }
}

impl Clone for Name {
    fn clone(&self) -> Self {
        if self.short().is_none() {
            let _counted = ManuallyDrop::new(Long::clone(&self.shared()));
        }
        Self(self.0)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if self.short().is_none() {
            drop(ManuallyDrop::into_inner(self.shared()));
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.short().is_none() && self.bytes() == other.bytes())
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_its_bytes(one: Vec<u8>, other in prop::collection::vec(0u8..3, 0..10)) {
            let names = [&one, &other].map(Name::new);
            prop_assert_eq!([names[0].bytes(), names[1].bytes()], [&one[..], &other]);
            prop_assert_eq!(names[0].cmp(&names[1]), one.cmp(&other));
            prop_assert_eq!(names[0] == names[1], one == other);
            let copy = names[1].clone();
            prop_assert!(copy == names[1] && copy == Name::new(&other));
            drop(names);
            prop_assert_eq!(copy.bytes(), &other[..]);
        }
    }

    #[test]
    fn short_names_take_no_memory_of_their_own() {
        assert_eq!(size_of::<Option<Name>>(), size_of::<usize>());
        assert!(Name::from("").short().is_some() && Name::from("seven__").short().is_some());
        assert!(Name::from("of eight").short().is_none());
    }
}
