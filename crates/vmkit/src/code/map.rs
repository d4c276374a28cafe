//! Which function an address is in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::Function;
use crate::error::Error;
use crate::listener::{Linked, Listener, Unlinked};

/// The functions that are linked, by address. As a session's listener, it learns of them before
/// they can be called, and forgets them before their code is freed.
///
/// Looking up takes a lock that readers share, so it is not for signal handlers.
#[derive(Debug, Default)]
pub struct CodeMap {
    functions: RwLock<BTreeMap<u64, Arc<Function>>>,
    errors: Mutex<Vec<Error>>,
}

impl CodeMap {
    /// A map of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds functions. One that begins where another one did takes its place.
    pub fn insert(&self, functions: impl IntoIterator<Item = Function>) {
        let functions = functions.into_iter().filter(|function| function.start < function.end);
        let functions = functions.map(|function| (function.start, Arc::new(function)));
        self.functions.write().extend(functions);
    }

    /// Forgets the functions that begin in a range of addresses, because their code is freed.
    pub fn remove(&self, range: Range<u64>) {
        let mut functions = self.functions.write();
        let starts: Vec<_> = functions.range(range).map(|(&start, _)| start).collect();
        for start in starts {
            functions.remove(&start);
        }
    }

    /// The function whose code an address is in. For a call, that is one less than where it returns
    /// to: a call that never returns can be the last instruction of its function.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<Arc<Function>> {
        let functions = self.functions.read();
        let (_, function) = functions.range(..=address).next_back()?;
        function.contains(address).then(|| function.clone())
    }

    /// All functions, by address.
    #[must_use]
    pub fn functions(&self) -> Vec<Arc<Function>> {
        self.functions.read().values().cloned().collect()
    }

    /// How many functions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.functions.read().len()
    }

    /// Whether there is no function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What could not be read of functions linked since this was asked last; those are not in the
    /// map.
    #[must_use]
    pub fn take_errors(&self) -> Vec<Error> {
        std::mem::take(&mut self.errors.lock())
    }
}

impl Listener for CodeMap {
    fn linked(&self, event: &Linked<'_>) {
        match Function::read(event) {
            Ok(functions) => self.insert(functions),
            Err(error) => self.errors.lock().push(error),
        }
    }

    fn unlinked(&self, event: &Unlinked<'_>) {
        for &(start, size) in event.ranges {
            self.remove(start.0..start.0.saturating_add(size));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{Addr, SymbolId};

    #[test]
    fn what_is_freed_is_forgotten() {
        let map = CodeMap::new();
        let function =
            |start| Function::new(SymbolId(0), "f".into(), "test".into(), start..start + 16);
        map.insert([0x100, 0x110, 0x120, 0x130].map(function));
        // Empty ones are in no code.
        map.insert([Function::new(SymbolId(0), "e".into(), "test".into(), 0x200..0x200)]);
        assert_eq!(map.len(), 4);
        let kept = map.find(0x12f).unwrap();
        let ranges = [(Addr(0x110), 32), (Addr(0x900), 8)];
        map.unlinked(&Unlinked { unit: SymbolId(0), ranges: &ranges });
        let starts: Vec<_> = map.functions().iter().map(|function| function.start).collect();
        assert_eq!(starts, [0x100, 0x130]);
        assert!(map.find(0x12f).is_none());
        // Whoever looks at it still can.
        assert_eq!(kept.start, 0x120);
    }
}
