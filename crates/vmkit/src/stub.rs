//! Stubs and slots: a function's lazy entry, and the one word that holds its current address.
//!
//! Stubs lie side by side in the stub area, their slots in the slot area, in the same order.
//! What is left of the slot area is handed out word by word, to whatever needs an address in memory near
//! code.
//!
//! Room for a stub is promised before it is made: as long as all calls go straight to code, none is needed.
#![expect(unsafe_code, reason = "slots are words that running code reads")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::host;
use crate::memory::{Block, Extent, Memory, Zone};
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
    made: AtomicU32,
    /// How many there may be, of those that were promised.
    promised: AtomicU32,
    capacity: u32,
}

/// Code that goes to `entry` with `gate`, and whatever number was pushed before.
pub(crate) fn trampoline(memory: &Memory, gate: u64, entry: u64) -> Result<Addr> {
    let code = native::first_call_trampoline(gate, entry);
    let mut block = memory.allocate(Zone::Code, code.len() as u64, 32)?;
    memory.fill(&mut block, &code)?;
    Ok(block.addr)
}

impl Stubs {
    /// Lays out the stub area of `memory`. First calls go to `entry` with `session`.
    pub(crate) fn new(memory: &Memory, session: u64, entry: u64) -> Result<Self> {
        let first_call = trampoline(memory, session, entry)?;
        let capacity = memory.left(Zone::Stubs) / native::STUB_SIZE;
        let slots = memory.allocate(Zone::Slots, capacity * 8, 4096)?;
        Ok(Self {
            first_call,
            first_stub: memory.start(Zone::Stubs),
            first_slot: slots.addr,
            made: AtomicU32::new(0),
            promised: AtomicU32::new(0),
            capacity: u32::try_from(capacity).expect("the stub area is smaller than 4 GiB"),
        })
    }

    /// How many stubs there are.
    pub(crate) fn len(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// Keeps room for one more.
    pub(crate) fn promise(&self) -> Result<()> {
        let more = |promised| (promised < self.capacity).then_some(promised + 1);
        let promised = self.promised.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        promised.map(drop).map_err(|_| Error::other("no stub left"))
    }

    /// Gives room back that was kept.
    pub(crate) fn release(&self) {
        self.promised.fetch_sub(1, Ordering::Relaxed);
    }

    /// A new stub that was promised, whose first call asks for `symbol`.
    pub(crate) fn make(&self, memory: &Memory, symbol: SymbolId) -> Result<StubId> {
        let mut block: Block =
            memory.allocate(Zone::Stubs, native::STUB_SIZE, native::STUB_ALIGN)?;
        let offset = block.addr.0 - self.first_stub.0;
        let id = StubId((offset / native::STUB_SIZE) as u32);
        let slot = self.slot_address(id).0;
        let bytes = native::stub(block.addr.0, slot, symbol.0, self.first_call.0)
            .ok_or_else(|| Error::other("stub area out of reach of its slots"))?;
        self.make_lazy(id);
        memory.fill(&mut block, &bytes)?;
        if block.is_used {
            host::sync_cores();
        }
        self.made.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }

    /// Takes a stub back, and its room.
    ///
    /// # Safety
    ///
    /// Nobody calls it any more, or knows its slot.
    pub(crate) unsafe fn free(&self, memory: &Memory, id: StubId) -> Result<()> {
        self.made.fetch_sub(1, Ordering::Relaxed);
        self.release();
        let extent = Extent { zone: Zone::Stubs, addr: self.address(id), size: native::STUB_SIZE };
        // SAFETY: the caller's promise; the extent is what `allocate` took.
        unsafe { memory.free(extent) }
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

    /// Sends calls of this stub to where its symbol is compiled.
    pub(crate) fn make_lazy(&self, id: StubId) {
        self.store(id, self.address(id).offset(native::STUB_LAZY as i64));
    }

    fn slot(&self, id: StubId) -> &AtomicU64 {
        assert!(id.0 < self.capacity, "a slot of this session");
        // SAFETY: the slot area was allocated for `capacity` aligned words, lives as long as the
        // session, and is only accessed atomically by us; linked code reads whole words.
        unsafe { AtomicU64::from_ptr(self.slot_address(id).0 as *mut u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: Addr, size: usize) -> Vec<u8> {
        // SAFETY: stubs and slots are mapped for reading; nobody writes to them meanwhile.
        unsafe { std::slice::from_raw_parts(address.0 as *const u8, size).to_vec() }
    }

    fn slot(stubs: &Stubs, id: StubId) -> u64 {
        u64::from_le_bytes(read(stubs.slot_address(id), 8).try_into().unwrap())
    }

    fn make(stubs: &Stubs, memory: &Memory, symbol: u32) -> StubId {
        stubs.promise().unwrap();
        stubs.make(memory, SymbolId(symbol)).unwrap()
    }

    #[test]
    fn a_stub_is_lazy_until_its_slot_is_stored() {
        let memory = Memory::reserve(None, false).unwrap();
        let stubs = Stubs::new(&memory, 0x1111, 0x2222).unwrap();
        let [first, second] = [40, 41].map(|symbol| make(&stubs, &memory, symbol));
        assert_eq!(stubs.len(), 2);
        assert_eq!(stubs.address(second), stubs.address(first).offset(native::STUB_SIZE as i64));
        assert_eq!(stubs.slot_address(second), stubs.slot_address(first).offset(8));
        assert_eq!(slot(&stubs, first), stubs.address(first).0 + native::STUB_LAZY);
        stubs.store(first, Addr(0x3333));
        assert_eq!(slot(&stubs, first), 0x3333);
        assert_eq!(slot(&stubs, second), stubs.address(second).0 + native::STUB_LAZY);
    }

    #[test]
    fn a_stub_leads_to_its_slot_and_the_first_call() {
        let memory = Memory::reserve(None, false).unwrap();
        let stubs = Stubs::new(&memory, 0x1111, 0x2222).unwrap();
        let id = make(&stubs, &memory, 1_000_000);
        let at = stubs.address(id);
        let bytes = read(at, native::STUB_SIZE as usize);
        let slot = stubs.slot_address(id).0;
        let expected = native::stub(at.0, slot, 1_000_000, stubs.first_call.0).unwrap();
        assert_eq!(bytes, expected);
        let trampoline = native::first_call_trampoline(0x1111, 0x2222);
        assert_eq!(read(stubs.first_call, trampoline.len()), trampoline);
    }

    #[test]
    fn stubs_run_out_with_an_error() {
        let memory = Memory::reserve(None, false).unwrap();
        let stubs = Stubs::new(&memory, 0x1111, 0x2222).unwrap();
        (0..stubs.capacity).for_each(|_| stubs.promise().unwrap());
        assert!(stubs.promise().is_err());
        let first = stubs.make(&memory, SymbolId(1)).unwrap();
        assert!(stubs.promise().is_err());
        // SAFETY: nobody calls it.
        unsafe { stubs.free(&memory, first).unwrap() };
        assert!(stubs.len() == 0 && stubs.promise().is_ok() && stubs.promise().is_err());
        stubs.release();
        stubs.promise().unwrap();
    }
}
