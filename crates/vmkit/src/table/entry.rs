//! What the session knows of one symbol.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::state::{Event, State};
use super::users::Users;
use crate::allocation::{Alive, AllocationId};
use crate::definition::Definition;
use crate::symbol::{Binding, Descriptor, Linkage, SymbolKind, Visibility};

/// One symbol. The state is a futex word of its own, so that a first call in a signal handler can
/// look at it and wait for it without a lock.
pub(crate) struct Entry {
    state: AtomicU32,
    /// The next symbol in the queue of those to compile, plus one; or that it is in none.
    pub(crate) next: AtomicU32,
    /// Where its code or data is, once placed; 0 before. Final once the state is `Ready`.
    address: AtomicU64,
    /// Where the first call came from: a return address.
    pub(crate) caller: AtomicU64,
    inner: Mutex<Inner>,
}

/// The part of an entry that needs the lock.
pub(crate) struct Inner {
    pub(crate) definition: Option<Definition>,
    pub(crate) kind: Option<SymbolKind>,
    pub(crate) linkage: Linkage,
    pub(crate) visibility: Visibility,
    /// Folded: of two that differ, one in four billion passes for the other.
    pub(crate) signature: Option<NonZeroU32>,
    pub(crate) size: u64,
    /// Number of its stub and slot plus one; 0 if it has none, or [`Inner::PROMISED`].
    pub(crate) stub: u32,
    /// Offset in the slot area of the slot that holds its address as data sees it, plus one.
    pub(crate) slot: u32,
    /// When it last changed what it stands for, by the table's clock.
    pub(crate) changed: u32,
    /// Number of the allocation that holds its code; 0 if it has none that can be taken back.
    pub(crate) allocation: u32,
    /// How calls reach it, if it was said.
    pub(crate) binding: Option<Binding>,
    users: Users,
}

/// A place that holds where a symbol is: in code, the four bytes of a call's displacement; elsewhere,
/// the eight of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Site {
    /// Offset in the session's range.
    pub(crate) place: u32,
    /// What it is in.
    pub(crate) owner: AllocationId,
}

/// Code that took something of a symbol for granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Dependent {
    pub(crate) owner: AllocationId,
    /// Of the body that was inlined; none where it is another thing than a body.
    pub(crate) hash: Option<u64>,
}

// There is one for every known symbol.
const _: () = assert!(size_of::<Entry>() <= 96);

impl Entry {
    /// Stands for the next one where a symbol is in no queue. (Numbers of symbols are positive as 32
    /// bits.)
    pub(crate) const APART: u32 = u32::MAX;

    pub(super) fn vacant() -> Self {
        Self {
            state: AtomicU32::new(State::Undefined as u32),
            next: AtomicU32::new(Self::APART),
            address: AtomicU64::new(0),
            caller: AtomicU64::new(0),
            inner: Mutex::new(Inner::new(0)),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// Where it is, 0 if it is nowhere yet.
    pub(crate) fn address(&self) -> u64 {
        self.address.load(Ordering::Acquire)
    }

    /// Notes where it is.
    pub(crate) fn place(&self, address: u64) {
        self.address.store(address, Ordering::Release);
    }

    /// The state, and everything that was written before it was entered.
    pub(crate) fn state(&self) -> State {
        State::from_number(self.state.load(Ordering::Acquire))
    }

    /// The word to wait on while the state is what it is.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.state
    }

    /// Applies an event; the state entered, or `None` where the event cannot happen now.
    pub(crate) fn advance(&self, event: Event) -> Option<State> {
        let mut entered = None;
        let step = |number| {
            entered = State::from_number(number).after(event);
            entered.map(|state| state as u32)
        };
        let moved = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, step);
        moved.ok().and(entered)
    }
}

impl Inner {
    /// Stands for the number of a stub that is not made, but can be.
    pub(crate) const PROMISED: u32 = u32::MAX;

    /// What is known of a symbol that is new at a time.
    fn new(now: u32) -> Self {
        Self {
            definition: None,
            kind: None,
            linkage: Linkage::Weak,
            visibility: Visibility::Default,
            signature: None,
            size: 0,
            stub: 0,
            slot: 0,
            changed: now,
            allocation: 0,
            binding: None,
            users: Users::Nobody,
        }
    }

    /// Forgets everything, at a time.
    pub(crate) fn clear(&mut self, now: u32) -> Self {
        std::mem::replace(self, Self::new(now))
    }

    /// Has it any [sites](Inner::sites), of allocations that are there or are not?
    pub(crate) fn has_sites(&self) -> bool {
        !self.users.sites().is_empty()
    }

    /// Call sites that go straight to its code, or would, and words that hold where it is.
    pub(crate) fn sites<'a>(&'a self, alive: &'a Alive<'_>) -> impl Iterator<Item = Site> + 'a {
        let sites = self.users.sites();
        // Those of one owner lie together.
        let mut last = (AllocationId::PERMANENT, true);
        sites.iter().copied().filter(move |site| {
            if site.owner != last.0 {
                last = (site.owner, alive.has(site.owner));
            }
            last.1
        })
    }

    /// Notes one more of them.
    pub(crate) fn add_site(&mut self, site: Site) {
        self.users.add_site(site);
    }

    /// Words of data that were initialized to point to it.
    pub(crate) fn pointers<'a>(&'a self, alive: &'a Alive<'_>) -> impl Iterator<Item = Site> + 'a {
        let pointers = self.users.pointers();
        pointers.iter().copied().filter(|site| alive.has(site.owner))
    }

    /// Notes one more of them.
    pub(crate) fn add_pointer(&mut self, site: Site) {
        self.users.add_pointer(site);
    }

    /// Drops the site at a place.
    pub(crate) fn remove_site(&mut self, place: u32) {
        self.users.remove_site(place);
    }

    /// Notes code that takes something of the symbol for granted.
    pub(crate) fn add_dependent(&mut self, dependent: Dependent) {
        self.users.add_dependent(dependent);
    }

    /// Does any code take something of the symbol for granted?
    pub(crate) fn has_dependents(&self) -> bool {
        !self.users.dependents().is_empty()
    }

    /// Takes out the dependents that took for granted what holds no longer: another body than that
    /// with this hash.
    pub(crate) fn take_dependents(&mut self, now: Option<u64>) -> Vec<Dependent> {
        let holds = |dependent: &Dependent| dependent.hash.is_some() && dependent.hash == now;
        self.users.take_dependents(holds)
    }

    /// Notes that `count` uses belong to allocations that are gone. They are dropped once they are
    /// many, so that each costs little.
    pub(crate) fn forget(&mut self, count: usize, alive: &Alive<'_>) {
        self.users.forget(count, alive);
    }

    /// Offset in the slot area of its thread-local pair.
    pub(crate) fn pair(&self) -> Option<u32> {
        self.users.pair()
    }

    /// Notes where its thread-local pair is.
    pub(crate) fn set_pair(&mut self, offset: u32) {
        self.users.set_pair(offset);
    }

    /// The allocation that holds its code, if it can be taken back.
    pub(crate) fn allocation(&self) -> AllocationId {
        AllocationId::from_number(self.allocation)
    }

    /// Takes over what a module says of the symbol.
    pub(super) fn descriptor(&mut self, descriptor: &Descriptor) {
        self.kind = Some(descriptor.kind);
        self.linkage = descriptor.linkage;
        self.visibility = descriptor.visibility;
        self.signature = descriptor.signature.map(fold);
    }
}

/// A hash in half its size.
pub(crate) fn fold(hash: u64) -> NonZeroU32 {
    NonZeroU32::new((hash ^ hash >> 32) as u32).unwrap_or(NonZeroU32::MAX)
}
