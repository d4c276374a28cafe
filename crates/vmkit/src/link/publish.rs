//! What is linked is what is called from then on: symbols get their address, and everybody who uses them
//! is sent there.

use super::{Linker, is_after, stub_of};
use crate::allocation::AllocationId;
use crate::error::Result;
use crate::memory::Zone;
use crate::patch;
use crate::stats::Counters;
use crate::symbol::{Addr, Binding, SymbolId};
use crate::table::{Event, Inner, Site, State};

impl Linker {
    /// Makes what was placed before what is used, unless it was redefined meanwhile.
    pub(super) fn publish_all(&self, finished: &[(SymbolId, u64)]) {
        for &(id, address) in finished {
            let entry = self.table.entry(id);
            let mut inner = entry.lock();
            if entry.address() == address && entry.state() != State::Ready {
                self.send(id, &mut inner, None, Addr(address));
                entry.advance(Event::Publish);
            }
            drop(inner);
            self.waiters.wake(entry.word());
        }
    }

    /// Makes `address` the one that `id`'s callers go to, binds the sites that wait for it, and wakes
    /// waiters; unless it was redefined after `began`, which it tells.
    pub(crate) fn publish(&self, id: SymbolId, address: u64, began: u32) -> bool {
        let is_current = self.settle(id, address, None, began);
        if is_current {
            self.waiters.wake(self.table.entry(id).word());
        }
        is_current
    }

    /// As [`Linker::publish`], and wakes nobody.
    pub(super) fn settle(
        &self,
        id: SymbolId,
        address: u64,
        allocation: Option<AllocationId>,
        began: u32,
    ) -> bool {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let is_stale = |id| self.allocations.is_stale(id);
        if is_after(inner.changed, began) || allocation.is_some_and(is_stale) {
            return false;
        }
        if entry.state() != State::Ready {
            if let Some(allocation) = allocation {
                inner.allocation = allocation.number();
            }
            // Who looks at the state goes on at once: by then everybody is sent there.
            self.send(id, &mut inner, None, Addr(address));
            entry.advance(Event::Publish);
        }
        true
    }

    pub(super) fn settle_by_product(&self, id: SymbolId, address: u64) {
        self.settle(id, address, None, self.table.now());
    }

    /// Sends everybody who uses a symbol to `address`, from wherever they went before: straight to
    /// `old`, or to the stub.
    pub(super) fn send(&self, id: SymbolId, inner: &mut Inner, old: Option<Addr>, address: Addr) {
        let entry = self.table.entry(id);
        entry.place(address.0);
        let stub = self.stub_for_sites(id, inner);
        if let Some(stub) = stub {
            self.stubs.store(stub, address);
        }
        let stub = stub.map_or(address, |stub| self.stubs.address(stub));
        let is_direct = inner.binding.unwrap_or(self.policy.binding) == Binding::Direct;
        let is_near = is_direct && self.memory.contains(address);
        self.lead(inner, old, |is_word| if is_word || is_near { address } else { stub });
    }

    /// Has every site and word go where `to` says, given whether it is a word. Sites that went to
    /// `old` were bound.
    pub(super) fn lead(&self, inner: &Inner, old: Option<Addr>, to: impl Fn(bool) -> Addr) {
        if !inner.has_sites() {
            return;
        }
        let stub = stub_of(inner).map(|stub| self.stubs.address(stub));
        let alive = self.allocations.alive();
        let (mut before, mut after) = (0, 0);
        for site in inner.sites(&alive) {
            let is_word = patch::is_word(&self.memory, site);
            let (now, mut target) = (patch::target(&self.memory, site), to(is_word));
            before += u64::from(!is_word && Some(now) == old);
            if now != target
                && !patch::bind(&self.memory, site, target)
                && let Some(stub) = stub
            {
                target = stub;
                patch::bind(&self.memory, site, target);
            }
            after += u64::from(!is_word && Some(target) != stub);
        }
        Counters::subtract(&self.counters.sites_bound, before);
        Counters::add(&self.counters.sites_bound, after);
    }

    /// Can a new site go straight to the code?
    pub(super) fn can_bind(&self, inner: &Inner, site: Site, address: Addr) -> bool {
        let is_direct = inner.binding.unwrap_or(self.policy.binding) == Binding::Direct;
        is_direct && self.memory.contains(address) && patch::can_bind(&self.memory, site, address)
    }

    /// Has a word of an allocation hold where a function is; the symbol that was found to be it.
    pub(crate) fn bind_word(
        &self,
        word: Addr,
        owner: AllocationId,
        function: SymbolId,
    ) -> Result<SymbolId> {
        let (id, _) = self.target(function)?;
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let stub = self.stub(id, entry, &mut inner)?;
        let site = self.site(word, owner);
        inner.add_site(site);
        let is_ready = entry.state() == State::Ready && entry.address() != 0;
        let address = if is_ready { Addr(entry.address()) } else { self.stubs.address(stub) };
        patch::bind(&self.memory, site, address);
        drop(inner);
        self.allocations.update(owner, |known| known.callees.push(id));
        Ok(id)
    }

    /// Has a function forget a word.
    pub(crate) fn unbind_word(&self, word: Addr, function: SymbolId) {
        let place = self.site(word, AllocationId::PERMANENT).place;
        self.table.entry(function).lock().remove_site(place);
    }

    /// The site at a place.
    pub(super) fn site(&self, place: Addr, owner: AllocationId) -> Site {
        let offset = place.0 - self.memory.start(Zone::Code).0;
        Site { place: u32::try_from(offset).expect("the range is smaller than 4 GiB"), owner }
    }
}
