//! What links have placed in memory, so that it can be taken back.
#![forbid(unsafe_code)]

mod packed;
mod packs;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::{SmallVec, smallvec};

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
    pub(crate) id: AllocationId,
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
}

impl Allocation {
    /// Of nothing yet.
    pub(crate) fn new(id: AllocationId, symbol: SymbolId) -> Self {
        Self {
            id,
            symbol,
            scopes: SmallVec::new(),
            extents: SmallVec::new(),
            unwind: SmallVec::new(),
            functions: SmallVec::new(),
            callees: SmallVec::new(),
            relies_on: SmallVec::new(),
            is_pinned: false,
        }
    }

    /// Adds what another one, of no more modules, has made.
    fn add(&mut self, other: Self) {
        self.extents.extend(other.extents);
        self.unwind.extend(other.unwind);
        self.functions.extend(other.functions);
        self.callees.extend(other.callees);
        self.relies_on.extend(other.relies_on);
    }
}

/// The allocations of a session.
#[derive(Default)]
pub(crate) struct Allocations {
    last: AtomicU32,
    records: Mutex<Records>,
    /// A bit for each number, up to the last for which it is set: is it gone?
    gone: RwLock<Vec<AtomicU64>>,
    /// Those whose code took something for granted that does not hold any more.
    stale: Mutex<FxHashSet<AllocationId>>,
    /// Is there one?
    has_stale: AtomicBool,
}

#[derive(Default)]
struct Records {
    /// Those of data that still grow.
    open: FxHashMap<AllocationId, Allocation>,
    /// Those of what is linked.
    packs: Packs,
}

/// Tells which allocations are there, for as long as it is held.
pub(crate) struct Alive<'a>(RwLockReadGuard<'a, Vec<AtomicU64>>);

impl Allocations {
    /// Begins an allocation for a definition of `symbol`, which is its linker's alone until it is
    /// [kept](Allocations::keep).
    ///
    /// # Panics
    ///
    /// After four billion.
    pub(crate) fn begin(&self, symbol: SymbolId, scope: ScopeId) -> Allocation {
        Allocation { scopes: smallvec![scope], ..Allocation::new(self.next(), symbol) }
    }

    /// Begins an allocation for data, which keeps no module.
    pub(crate) fn begin_data(&self, symbol: SymbolId) -> AllocationId {
        let id = self.next();
        self.records.lock().open.insert(id, Allocation::new(id, symbol));
        id
    }

    fn next(&self) -> AllocationId {
        let last = self.last.fetch_add(1, Ordering::Relaxed);
        AllocationId(last.checked_add(1).expect("fewer than 4 billion links"))
    }

    /// Keeps what is known of an allocation, in little memory: it will hardly change.
    pub(crate) fn keep(&self, allocation: &Allocation) {
        self.records.lock().packs.insert(allocation);
    }

    /// Keeps an allocation of data in little memory, for it does not grow any more.
    pub(crate) fn pack(&self, id: AllocationId) {
        let mut records = self.records.lock();
        if let Some(allocation) = records.open.remove(&id) {
            records.packs.insert(&allocation);
        }
    }

    /// Adds to an allocation of data what was made for it.
    pub(crate) fn add(&self, made: Allocation) {
        self.update(made.id, |known| known.add(made));
    }

    /// Changes what is known of an allocation; does nothing once it is gone.
    pub(crate) fn update(&self, id: AllocationId, change: impl FnOnce(&mut Allocation)) {
        let mut records = self.records.lock();
        if let Some(allocation) = records.open.get_mut(&id) {
            return change(allocation);
        }
        if let Some(mut allocation) = records.packs.get(id) {
            change(&mut allocation);
            records.packs.insert(&allocation);
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
        records.packs.get(id).map(|allocation| read(&allocation))
    }

    /// Is it there, and can it be taken back?
    pub(crate) fn can_end(&self, id: AllocationId) -> bool {
        self.get(id, |known| !known.is_pinned) == Some(true)
    }

    /// Ends an allocation: from now on it is not alive.
    pub(crate) fn take(&self, id: AllocationId) -> Option<Allocation> {
        let mut records = self.records.lock();
        let open = records.open.remove(&id);
        let allocation = open.or_else(|| records.packs.get(id))?;
        records.packs.remove(id);
        drop(records);
        self.set_gone(id);
        self.stale.lock().remove(&id);
        Some(allocation)
    }

    fn set_gone(&self, id: AllocationId) {
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        let bits = self.gone.read();
        if let Some(bits) = bits.get(word) {
            bits.fetch_or(bit, Ordering::AcqRel);
            return;
        }
        drop(bits);
        let mut bits = self.gone.write();
        let len = bits.len().max(word + 1);
        bits.resize_with(len, AtomicU64::default);
        *bits[word].get_mut() |= bit;
    }

    /// Notes that something an allocation took for granted does not hold any more.
    pub(crate) fn set_stale(&self, id: AllocationId) {
        let mut stale = self.stale.lock();
        if self.alive().has(id) && id != AllocationId::PERMANENT {
            stale.insert(id);
            self.has_stale.store(true, Ordering::Release);
        }
    }

    /// Does something that it took for granted no longer hold?
    pub(crate) fn is_stale(&self, id: AllocationId) -> bool {
        self.has_stale.load(Ordering::Acquire) && self.stale.lock().contains(&id)
    }

    /// Unwind records of all that are there.
    pub(crate) fn unwind(&self) -> Vec<Addr> {
        let records = self.records.lock();
        let open = records.open.values().flat_map(|allocation| allocation.unwind.clone());
        let packed = records.packs.all().flat_map(|allocation| allocation.unwind);
        open.chain(packed).collect()
    }

    /// Which are there.
    pub(crate) fn alive(&self) -> Alive<'_> {
        Alive(self.gone.read())
    }
}

impl Alive<'_> {
    /// Is it there?
    pub(crate) fn has(&self, id: AllocationId) -> bool {
        let bits = self.0.get(id.0 as usize / 64);
        bits.is_none_or(|bits| bits.load(Ordering::Acquire) & 1 << (id.0 % 64) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_is_alive_until_it_is_taken() {
        let allocations = Allocations::default();
        let ids = (0..200).map(|n| {
            let known = allocations.begin(SymbolId(n), ScopeId::GLOBAL);
            allocations.keep(&known);
            known.id
        });
        let ids: Vec<_> = ids.collect();
        assert!(ids.iter().all(|&id| allocations.alive().has(id)));
        ids[70..72].iter().for_each(|&id| allocations.set_stale(id));
        assert!([69, 70, 71].map(|n: usize| allocations.is_stale(ids[n])) == [false, true, true]);
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
        allocations.set_stale(ids[70]);
        assert!(!allocations.is_stale(ids[70]) && allocations.is_stale(ids[71]));
        assert_ne!(allocations.begin(SymbolId(70), ScopeId::GLOBAL).id, ids[70]);
        assert!(allocations.alive().has(AllocationId::PERMANENT));
    }
}
