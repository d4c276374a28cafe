//! Which symbol has a name in a scope, and what each symbol's is.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::symbol::{Name, ScopeId, SymbolId};

/// So many names lie in one piece of memory, which never moves.
const PIECE: usize = 64;

/// The names of a table's symbols.
pub(super) struct Names {
    symbols: HashTable<SymbolId>,
    /// By the symbols' indices.
    keys: Vec<Vec<Key>>,
    /// Symbols that are nobody's any more.
    pub(super) vacant: Vec<SymbolId>,
}

/// What a symbol is found by.
pub(super) struct Key {
    pub(super) name: Name,
    /// That of nobody for a symbol that is gone.
    pub(super) scope: ScopeId,
    /// The hash of both, so that a table that grows need not look at names.
    hash: u32,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { symbols: HashTable::new(), keys: Vec::new(), vacant: Vec::new() }
    }

    /// What the symbol with an index is found by, if there ever was one.
    pub(super) fn key(&self, index: usize) -> Option<&Key> {
        self.keys.get(index / PIECE)?.get(index % PIECE)
    }

    /// The symbol of a name in a scope, if there is one; of that name and scope, this is the hash.
    pub(super) fn find(&self, wanted: u32, scope: ScopeId, name: &[u8]) -> Option<SymbolId> {
        let is_it = |id: &SymbolId| {
            self.key(id.index() as usize).is_some_and(|key| {
                key.hash == wanted && key.scope == scope && key.name.bytes() == name
            })
        };
        self.symbols.find(spread(wanted), is_it).copied()
    }

    /// Gives a symbol a name in a scope, which none has. Indices are given away in their order, and
    /// again after [`Names::remove`].
    pub(super) fn insert(&mut self, hash: u32, id: SymbolId, scope: ScopeId, name: &Name) {
        let key = Key { name: name.clone(), scope, hash };
        let index = id.index() as usize;
        if index / PIECE == self.keys.len() {
            self.keys.push(Vec::with_capacity(PIECE));
        }
        let piece = &mut self.keys[index / PIECE];
        match piece.get_mut(index % PIECE) {
            Some(vacant) => *vacant = key,
            None => piece.push(key),
        }
        let Self { symbols, keys, .. } = self;
        let hash_of = |id: &SymbolId| {
            let index = id.index() as usize;
            spread(keys[index / PIECE][index % PIECE].hash)
        };
        symbols.insert_unique(spread(hash), id, hash_of);
    }

    /// Takes a symbol's name away.
    pub(super) fn remove(&mut self, id: SymbolId) {
        let index = id.index() as usize;
        let Some(key) =
            self.keys.get_mut(index / PIECE).and_then(|keys| keys.get_mut(index % PIECE))
        else {
            return;
        };
        if let Ok(found) = self.symbols.find_entry(spread(key.hash), |&other| other == id) {
            found.remove();
        }
        *key = Key { name: Name::from(""), scope: ScopeId::NONE, hash: 0 };
    }
}

/// By which a name in a scope is found.
pub(super) fn hash(scope: ScopeId, name: &[u8]) -> u32 {
    let hash = FxBuildHasher.hash_one((scope, name));
    (hash ^ hash >> 32) as u32
}

/// A hash whose highest and lowest bits differ between numbers that differ anywhere.
fn spread(hash: u32) -> u64 {
    // The golden ratio, in 64 bits.
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
