//! Where symbols are: as data sees them, as calls reach them, and the words that hold it.

use super::{Linker, stub_of};
use crate::definition::{Alias, Definition, LibraryThreadLocal, Unit};
use crate::error::{Error, Result};
use crate::memory::Zone;
use crate::stub::StubId;
use crate::symbol::{Addr, SymbolId, SymbolKind};
use crate::table::{Entry, Inner, State};

impl Linker {
    /// Follows aliases from a symbol to the one that has an address, and the offset from it.
    pub(crate) fn target(&self, mut id: SymbolId) -> Result<(SymbolId, i64)> {
        self.table.check(id)?;
        let mut total = 0i64;
        for _ in 0..64 {
            let definition = self.table.entry(id).lock().definition.clone();
            let Some(Definition::Alias(alias)) = definition else { return Ok((id, total)) };
            let Alias { target, offset, body } = *alias;
            (id, total) = (target, total.wrapping_add(offset));
            if let Some((scope, key)) = body
                && !self.is_defined_in(target, scope)
            {
                id = self.private(scope, &self.table.name(target), key);
            }
        }
        Err(Error::other(format!("alias {} goes in a circle", self.table.name(id))))
    }

    /// The stub of a symbol; made if there is none.
    pub(crate) fn stub_address(&self, id: SymbolId) -> Result<Addr> {
        self.table.check(id)?;
        let entry = self.table.entry(id);
        Ok(self.stubs.address(self.stub(id, entry, &mut entry.lock())?))
    }

    pub(super) fn stub(&self, id: SymbolId, entry: &Entry, inner: &mut Inner) -> Result<StubId> {
        if let Some(stub) = stub_of(inner) {
            return Ok(stub);
        }
        self.promise_stub(inner)?;
        let stub = self.stubs.make(&self.memory, id)?;
        inner.stub = stub.0 + 1;
        self.tell_stub(id, stub);
        if entry.state() == State::Ready {
            self.stubs.store(stub, Addr(entry.address()));
        }
        Ok(stub)
    }

    /// Sees to it that there is a stub of a symbol, or room for it.
    pub(super) fn promise_stub(&self, inner: &mut Inner) -> Result<()> {
        if inner.stub == 0 {
            self.stubs.promise()?;
            inner.stub = Inner::PROMISED;
        }
        Ok(())
    }

    /// The stub of a symbol, if there is one; made if there are sites that may be sent there.
    pub(super) fn stub_for_sites(&self, id: SymbolId, inner: &mut Inner) -> Option<StubId> {
        match inner.has_sites() {
            // Where no code can be written, no site can be sent elsewhere either.
            true => self.stub(id, self.table.entry(id), inner).ok(),
            false => stub_of(inner),
        }
    }

    /// The address of a symbol as data sees it: for ever the same, never null but for a weak
    /// symbol that nobody defines. `user` is the code that needs it.
    pub(crate) fn address(&self, id: SymbolId, user: SymbolId) -> Result<u64> {
        let (target, offset) = self.target(id)?;
        let entry = self.table.entry(target);
        let inner = entry.lock();
        let (definition, kind) = (inner.definition.clone(), inner.kind);
        drop(inner);
        let is_ready = entry.state() == State::Ready;
        let address = match definition {
            Some(Definition::Absolute(address)) => address.0,
            Some(Definition::Module { unit: Unit::Lazy, .. } | Definition::Indirect { .. }) => {
                self.stub_address(target)?.0
            }
            Some(_) if is_ready => entry.address(),
            Some(Definition::Module { scope, key, unit: Unit::Whole }) => {
                self.link_whole(target, scope, key)?;
                entry.address()
            }
            Some(Definition::Module { unit: Unit::Data, .. } | Definition::Common(_)) => {
                self.require_data(target)?;
                entry.address()
            }
            Some(Definition::LibraryThreadLocal(_)) => 0,
            Some(Definition::Alias(_)) => unreachable!("aliases were followed"),
            // Whoever is asked for it is asked when it is called.
            None if kind == Some(SymbolKind::Function)
                && (self.policy.resolver.is_some() || !self.find_elsewhere(target)) =>
            {
                self.stub_address(target)?.0
            }
            None => match self.bound_of_set(&self.table.name(target), user)? {
                Some(address) => address,
                None if self.resolve(target)? => return self.address(id, user),
                None => {
                    let user = self.table.name(user);
                    return Err(Error::undefined(self.table.name(target), Some(user)));
                }
            },
        };
        Ok(address.wrapping_add_signed(offset))
    }

    /// Is there nothing at all that defines this symbol?
    pub(super) fn is_absent(&self, id: SymbolId) -> Result<bool> {
        let (target, _) = self.target(id)?;
        let entry = self.table.entry(target);
        let is_undefined = entry.lock().definition.is_none();
        Ok(is_undefined
            && !self.is_bound_of_set(&self.table.name(target))
            && !self.find_elsewhere(target))
    }

    /// The slot that holds `value`, the address of `id`; its offset in the slot area.
    pub(super) fn slot(&self, id: SymbolId, value: u64) -> Result<Addr> {
        let mut inner = self.table.entry(id).lock();
        let start = self.memory.start(Zone::Slots);
        if inner.slot != 0 {
            return Ok(start.offset(i64::from(inner.slot - 1)));
        }
        // It may have been redefined since the value was asked for.
        let entry = self.table.entry(id);
        let is_data = inner.definition.as_ref().is_some_and(Definition::is_data);
        let is_moved = entry.state() == State::Ready && is_data;
        let slot = self.words([if is_moved { entry.address() } else { value }])?;
        inner.slot = (slot.0 - start.0) as u32 + 1;
        Ok(slot)
    }

    /// Fresh words in the slot area.
    pub(super) fn words<const N: usize>(&self, values: [u64; N]) -> Result<Addr> {
        let mut block = self.memory.allocate(Zone::Slots, 8 * N as u64, 8)?;
        for (word, value) in block.bytes_mut().chunks_exact_mut(8).zip(values) {
            word.copy_from_slice(&value.to_le_bytes());
        }
        Ok(block.addr)
    }

    /// The {module, offset} pair of a thread-local variable.
    pub(super) fn pair(&self, id: SymbolId, user: SymbolId) -> Result<Addr> {
        let (target, offset) = self.target(id)?;
        self.address(target, user)?;
        let mut inner = self.table.entry(target).lock();
        let start = self.memory.start(Zone::Slots);
        let pair = if let Some(offset) = inner.pair() {
            start.offset(i64::from(offset))
        } else {
            let Some(Definition::LibraryThreadLocal(variable)) = &inner.definition else {
                let name = self.table.name(target);
                return Err(Error::other(format!("{name} is used as thread-local, but is not")));
            };
            let LibraryThreadLocal { module, offset } = **variable;
            let pair = self.words([module, offset])?;
            inner.set_pair((pair.0 - start.0) as u32);
            pair
        };
        drop(inner);
        if offset == 0 {
            return Ok(pair);
        }
        Err(Error::other(format!(
            "{} is an alias into the midst of a thread-local variable",
            self.table.name(id)
        )))
    }
}
