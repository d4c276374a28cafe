//! What the session knows of one symbol.

use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::state::{Event, State};
use crate::definition::Definition;
use crate::symbol::{Descriptor, Linkage, Name, ScopeId, SymbolId, SymbolKind, Visibility};

/// One symbol. The state is a futex word of its own, so that a first call in a signal handler can
/// look at it and wait for it without a lock.
pub(crate) struct Entry {
    key: OnceLock<(ScopeId, Name)>,
    state: AtomicU32,
    /// The next symbol in the queue of those to compile, plus one.
    pub(crate) next: AtomicU32,
    /// Where its code or data is, once placed; 0 before. Final once the state is `Ready`.
    address: AtomicU64,
    /// Where the first call came from: a return address.
    pub(crate) caller: AtomicU64,
    /// When that was, in nanoseconds since the session began; 0 if nobody listens.
    pub(crate) called: AtomicU64,
    inner: Mutex<Inner>,
}

/// The part of an entry that needs the lock.
pub(crate) struct Inner {
    pub(crate) definition: Option<Definition>,
    pub(crate) kind: Option<SymbolKind>,
    pub(crate) linkage: Linkage,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Option<NonZeroU64>,
    pub(crate) size: u64,
    /// Number of its stub and slot plus one; 0 if it has none.
    pub(crate) stub: u32,
    /// Offset in the slot area of the slot that holds its address as data sees it, plus one.
    pub(crate) slot: u32,
    /// Offset in the slot area of its thread-local pair, plus one.
    pub(crate) pair: u32,
    #[expect(clippy::box_collection, reason = "most symbols have none, and a vector is larger")]
    users: Option<Box<Vec<Site>>>,
}

/// A call site in linked code: four bytes that hold a displacement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Site {
    /// Offset in the session's range of the four bytes.
    pub(crate) place: u32,
    /// Whose code it is in.
    pub(crate) owner: SymbolId,
}

// There is one for every known symbol.
const _: () = assert!(size_of::<Entry>() <= 128);

impl Entry {
    pub(super) fn vacant() -> Self {
        Self {
            key: OnceLock::new(),
            state: AtomicU32::new(State::Undefined as u32),
            next: AtomicU32::new(0),
            address: AtomicU64::new(0),
            caller: AtomicU64::new(0),
            called: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                definition: None,
                kind: None,
                linkage: Linkage::Weak,
                visibility: Visibility::Default,
                signature: None,
                size: 0,
                stub: 0,
                slot: 0,
                pair: 0,
                users: None,
            }),
        }
    }

    pub(super) fn occupy(&self, scope: ScopeId, name: &Name) {
        let fresh = self.key.set((scope, name.clone())).is_ok();
        assert!(fresh, "an entry is given away once");
    }

    pub(crate) fn scope(&self) -> ScopeId {
        self.key.get().expect("an occupied entry").0
    }

    pub(crate) fn name(&self) -> &Name {
        &self.key.get().expect("an occupied entry").1
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
    /// Call sites that go straight to its code, or would.
    pub(crate) fn users(&self) -> &[Site] {
        self.users.as_ref().map_or(&[], |users| users)
    }

    /// Notes one more of them.
    pub(crate) fn add_user(&mut self, site: Site) {
        self.users.get_or_insert_default().push(site);
    }

    /// Takes over what a module says of the symbol.
    pub(super) fn descriptor(&mut self, descriptor: &Descriptor) {
        self.kind = Some(descriptor.kind);
        self.linkage = descriptor.linkage;
        self.visibility = descriptor.visibility;
        self.signature =
            descriptor.signature.map(|hash| NonZeroU64::new(hash).unwrap_or(NonZeroU64::MAX));
    }
}
