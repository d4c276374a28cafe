//! Stubs and slots: a function's lazy entry, and the one word that holds its current address.
//!
//! Stub number `n` lies `16 n` bytes into the stub area, its slot `8 n` bytes into the slot area.
//! The second half of the slot area is handed out word by word, to whatever needs an address in
//! memory near code.
#![expect(unsafe_code, reason = "slots are words that running code reads")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::memory::{Block, Memory, Zone};
use crate::symbol::{Addr, SymbolId};
use crate::target::native;

/// Number of a stub and its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StubId(pub(crate) u32);

/// The stubs and slots of a session.
pub(crate) struct Stubs {
    first_call: Addr,
    first_stub: Addr,
    first_slot: Addr,
    next: AtomicU32,
    capacity: u32,
}

impl Stubs {
    /// Lays out the stub area of `memory`. First calls go to `entry` with `session`.
    pub(crate) fn new(memory: &Memory, session: u64, entry: u64) -> Result<Self> {
        let mut trampoline = memory.allocate(Zone::Code, 32, 32)?;
        let bytes = native::first_call_trampoline(session, entry);
        trampoline.bytes_mut().copy_from_slice(&bytes);
        memory.sync(trampoline.addr, bytes.len() as u64)?;
        let capacity = memory.left(Zone::Stubs) / native::STUB_SIZE;
        let slots = memory.allocate(Zone::Slots, capacity * 8, 4096)?;
        Ok(Self {
            first_call: trampoline.addr,
            first_stub: memory.start(Zone::Stubs),
            first_slot: slots.addr,
            next: AtomicU32::new(0),
            capacity: u32::try_from(capacity).expect("the stub area is smaller than 4 GiB"),
        })
    }

    /// How many stubs there are.
    pub(crate) fn len(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// A new stub, whose first call asks for `symbol`.
    pub(crate) fn allocate(&self, memory: &Memory, symbol: SymbolId) -> Result<StubId> {
        let mut block: Block = memory.allocate(Zone::Stubs, native::STUB_SIZE, 16)?;
        let offset = block.addr.0 - self.first_stub.0;
        let id = StubId((offset / native::STUB_SIZE) as u32);
        if id.0 >= self.capacity {
            return Err(Error::other("no stub left"));
        }
        self.next.fetch_add(1, Ordering::Relaxed);
        let slot = self.slot_address(id).0;
        let bytes = native::stub(block.addr.0, slot, symbol.index(), self.first_call.0)
            .ok_or_else(|| Error::other("stub area out of reach of its slots"))?;
        self.store(id, block.addr.offset(native::STUB_LAZY as i64));
        block.bytes_mut().copy_from_slice(&bytes);
        memory.sync(block.addr, native::STUB_SIZE)?;
        Ok(id)
    }

    /// Where a stub is: the function's address for ever.
    pub(crate) fn address(&self, id: StubId) -> Addr {
        self.first_stub.offset(i64::from(id.0) * native::STUB_SIZE as i64)
    }

    /// Where a stub's slot is.
    pub(crate) fn slot_address(&self, id: StubId) -> Addr {
        self.first_slot.offset(i64::from(id.0) * 8)
    }

    /// Sends calls of this stub to `target`.
    pub(crate) fn store(&self, id: StubId, target: Addr) {
        self.slot(id).store(target.0, Ordering::Release);
    }

    fn slot(&self, id: StubId) -> &AtomicU64 {
        assert!(id.0 < self.capacity, "a slot of this session");
        // SAFETY: the slot area was allocated for `capacity` aligned words, lives as long as the
        // session, and is only accessed atomically by us; linked code reads whole words.
        unsafe { AtomicU64::from_ptr(self.slot_address(id).0 as *mut u64) }
    }
}
