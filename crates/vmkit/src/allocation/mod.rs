//! What links have placed in memory, so that it can be taken back.
#![forbid(unsafe_code)]

mod packed;
mod packs;

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use self::packed::Packed;
use self::packs::Packs;
use crate::memory::Extent;
use crate::symbol::{Addr, ScopeId, SymbolId};

/// One link's allocation. Numbers are never used twice, so that what refers to an allocation that
/// is gone can be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct AllocationId(u32);

impl AllocationId {
    /// What is never taken back.
    pub(crate) const PERMANENT: Self = Self(0);

    /// The number, to be kept in a small place.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The allocation with this number.
    pub(crate) fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// Everything that one link made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Allocation {
    /// The symbol whose definition it is.
    pub(crate) symbol: SymbolId,
    /// The modules that it comes from, each kept for it once for each time it is here.
    pub(crate) scopes: SmallVec<[ScopeId; 2]>,
    /// Its memory.
    pub(crate) extents: SmallVec<[Extent; 2]>,
    /// Unwind records registered with the system.
    pub(crate) unwind: SmallVec<[Addr; 1]>,
    /// Where functions begin that the session can find by address.
    pub(crate) functions: SmallVec<[u64; 1]>,
    /// Symbols that list call sites or words of it, once for each.
    pub(crate) callees: SmallVec<[SymbolId; 4]>,
    /// Symbols and assumptions it took for granted.
    pub(crate) relies_on: SmallVec<[SymbolId; 4]>,
    /// Is it never taken back?
    pub(crate) is_pinned: bool,
    /// Does something it took for granted no longer hold?
    pub(crate) is_stale: bool,
}

impl Allocation {
    fn new(symbol: SymbolId) -> Self {
        Self {
            symbol,
            scopes: SmallVec::new(),
            extents: SmallVec::new(),
            unwind: SmallVec::new(),
            functions: SmallVec::new(),
            callees: SmallVec::new(),
            relies_on: SmallVec::new(),
            is_pinned: false,
            is_stale: false,
        }
    }
}

/// The allocations of a session.
#[derive(Default)]
pub(crate) struct Allocations {
    records: Mutex<Records>,
    /// A bit for each number: is it there?
    alive: RwLock<Vec<AtomicU64>>,
}

#[derive(Default)]
struct Records {
    last: u32,
    /// Those that are being linked, and data's.
    open: FxHashMap<AllocationId, Allocation>,
    /// Those of code that is linked.
    packs: Packs,
    /// Where they are packed.
    scratch: Vec<u8>,
}

/// Tells which allocations are there, for as long as it is held.
pub(crate) struct Alive<'a>(RwLockReadGuard<'a, Vec<AtomicU64>>);

impl Allocations {
    /// Begins an allocation for a definition of `symbol`.
    ///
    /// # Panics
    ///
    /// After four billion.
    pub(crate) fn begin(&self, symbol: SymbolId, scope: ScopeId) -> AllocationId {
        self.add(Allocation { scopes: smallvec![scope], ..Allocation::new(symbol) })
    }

    /// Begins an allocation for data, which keeps no module.
    pub(crate) fn begin_data(&self, symbol: SymbolId) -> AllocationId {
        self.add(Allocation::new(symbol))
    }

    fn add(&self, allocation: Allocation) -> AllocationId {
        let mut records = self.records.lock();
        records.last = records.last.checked_add(1).expect("fewer than 4 billion links");
        let id = AllocationId(records.last);
        records.open.insert(id, allocation);
        // Whoever looks which are alive may look at records meanwhile.
        drop(records);
        self.set_alive(id, true);
        id
    }

    fn set_alive(&self, id: AllocationId, is_alive: bool) {
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        let bits = self.alive.read();
        if word < bits.len() {
            return match is_alive {
                true => drop(bits[word].fetch_or(bit, Ordering::AcqRel)),
                false => drop(bits[word].fetch_and(!bit, Ordering::AcqRel)),
            };
        }
        drop(bits);
        let mut bits = self.alive.write();
        let len = bits.len().max(word + 1);
        bits.resize_with(len, AtomicU64::default);
        if is_alive {
            *bits[word].get_mut() |= bit;
        }
    }

    /// Keeps what is known of an allocation in little memory: it will hardly change.
    pub(crate) fn pack(&self, id: AllocationId) {
        let mut records = self.records.lock();
        if let Some(allocation) = records.open.remove(&id) {
            records.pack(id, &allocation);
        }
    }

    /// Changes what is known of an allocation; does nothing once it is gone.
    pub(crate) fn update(&self, id: AllocationId, change: impl FnOnce(&mut Allocation)) {
        let mut records = self.records.lock();
        if let Some(allocation) = records.open.get_mut(&id) {
            return change(allocation);
        }
        if let Some(mut allocation) = records.packed(id) {
            change(&mut allocation);
            records.pack(id, &allocation);
        }
    }

    /// Something of an allocation, if it is there.
    pub(crate) fn get<T>(
        &self,
        id: AllocationId,
        read: impl FnOnce(&Allocation) -> T,
    ) -> Option<T> {
        let records = self.records.lock();
        if let Some(allocation) = records.open.get(&id) {
            return Some(read(allocation));
        }
        records.packed(id).map(|allocation| read(&allocation))
    }

    /// Is it there, and can it be taken back?
    pub(crate) fn can_end(&self, id: AllocationId) -> bool {
        self.get(id, |known| !known.is_pinned) == Some(true)
    }

    /// Ends an allocation: from now on it is not alive.
    pub(crate) fn take(&self, id: AllocationId) -> Option<Allocation> {
        let mut records = self.records.lock();
        let open = records.open.remove(&id);
        let allocation = open.or_else(|| records.packed(id))?;
        records.packs.remove(id.number());
        drop(records);
        self.set_alive(id, false);
        Some(allocation)
    }

    /// Unwind records of all that are there.
    pub(crate) fn unwind(&self) -> Vec<Addr> {
        let records = self.records.lock();
        let open = records.open.values().flat_map(|allocation| allocation.unwind.clone());
        let packed = records.packs.all().flat_map(|bytes| Packed(bytes).allocation().unwind);
        open.chain(packed).collect()
    }

    /// Which are there.
    pub(crate) fn alive(&self) -> Alive<'_> {
        Alive(self.alive.read())
    }
}

impl Records {
    fn pack(&mut self, id: AllocationId, allocation: &Allocation) {
        let Self { packs, scratch, .. } = self;
        packs.insert(id.number(), Packed::new(allocation, scratch).0);
    }

    fn packed(&self, id: AllocationId) -> Option<Allocation> {
        self.packs.get(id.number()).map(|bytes| Packed(bytes).allocation())
    }
}

impl Alive<'_> {
    /// Is it there?
    pub(crate) fn has(&self, id: AllocationId) -> bool {
        let bits = self.0.get(id.0 as usize / 64);
        id == AllocationId::PERMANENT
            || bits.is_some_and(|bits| bits.load(Ordering::Acquire) & 1 << (id.0 % 64) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_is_alive_until_it_is_taken() {
        let allocations = Allocations::default();
        let ids: Vec<_> =
            (0..200).map(|n| allocations.begin(SymbolId(n), ScopeId::GLOBAL)).collect();
        assert!(ids.iter().all(|&id| allocations.alive().has(id)));
        ids[60..80].iter().for_each(|&id| allocations.pack(id));
        allocations.update(ids[71], |known| known.is_stale = true);
        assert_eq!(allocations.get(ids[71], |known| known.is_stale), Some(true));
        let taken = allocations.take(ids[70]).unwrap();
        assert_eq!(taken.symbol, SymbolId(70));
        for (n, &id) in ids.iter().enumerate() {
            assert_eq!(allocations.alive().has(id), n != 70);
            assert_eq!(
                allocations.get(id, |found| found.symbol.0 as usize),
                (n != 70).then_some(n)
            );
        }
        assert!(allocations.take(ids[70]).is_none());
        assert_ne!(allocations.begin(SymbolId(70), ScopeId::GLOBAL), ids[70]);
        assert!(allocations.alive().has(AllocationId::PERMANENT));
    }
}
