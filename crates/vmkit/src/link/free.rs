//! Memory of code is taken back, with every record of it.
#![expect(unsafe_code, reason = "frees code that nobody runs")]

use std::cmp::Reverse;

use super::Linker;
use crate::allocation::{Allocation, AllocationId};
use crate::host;
use crate::listener::Unlinked;
use crate::memory::Zone;
use crate::symbol::{Addr, SymbolId};

impl Linker {
    /// Notes that nobody will call what is in an allocation.
    pub(crate) fn retire(&self, id: AllocationId) {
        if self.allocations.can_end(id) {
            self.retired.push(id);
        }
    }

    /// Takes back what nobody ever called.
    pub(super) fn abandon(&self, id: AllocationId) {
        if self.allocations.can_end(id) {
            // SAFETY: it was never published.
            unsafe { self.free(vec![id]) };
        }
    }

    /// Frees retired code that no reader can be in; how many functions' it was.
    ///
    /// # Safety
    ///
    /// Whoever runs code does so as a reader.
    pub(crate) unsafe fn reclaim(&self) -> usize {
        let quiet = self.retired.take_quiet();
        // SAFETY: the caller's promise; no reader that entered before these were retired is inside.
        unsafe { self.free(quiet) }
    }

    /// Frees retired code for which `is_free`, given the ranges of its memory; how many functions'
    /// it was.
    ///
    /// # Safety
    ///
    /// Nobody is in what `is_free` says is free, or will return there.
    pub(crate) unsafe fn reclaim_where(
        &self,
        mut is_free: impl FnMut(SymbolId, &[(Addr, u64)]) -> bool,
    ) -> usize {
        let retired = self.retired.take_where(|id| {
            let known = self.allocations.get(id, |known| (known.symbol, code_ranges(known)));
            known.is_some_and(|(symbol, ranges)| is_free(symbol, &ranges))
        });
        // SAFETY: the caller's promise.
        unsafe { self.free(retired) }
    }

    /// # Safety
    ///
    /// Nobody is in any of them, will return there, or can call them.
    unsafe fn free(&self, ids: Vec<AllocationId>) -> usize {
        let taken: Vec<_> = ids.into_iter().filter_map(|id| self.allocations.take(id)).collect();
        for allocation in &taken {
            self.forget(allocation);
        }
        for allocation in &taken {
            for &records in &allocation.unwind {
                // SAFETY: it was noted when they were registered; nobody unwinds through code that
                // nobody is in.
                unsafe { self.unwind.deregister(records) };
            }
            for &extent in &allocation.extents {
                // SAFETY: the caller's promise, and no table names it any more. Where it fails, the
                // memory stays taken.
                let _ = unsafe { self.memory.free(extent) };
            }
        }
        for allocation in &taken {
            let scopes = allocation.scopes.iter();
            scopes.for_each(|&scope| self.table.release_for(scope, allocation.symbol));
        }
        self.end_modules();
        if !taken.is_empty() {
            host::sync_cores();
        }
        taken.len()
    }

    /// Drops every record of an allocation that is not alive any more.
    fn forget(&self, allocation: &Allocation) {
        let mut users = [&allocation.callees[..], &allocation.relies_on].concat();
        users.sort_unstable();
        for same in users.chunk_by(|one, other| one == other) {
            let mut inner = self.table.entry(same[0]).lock();
            inner.forget(same.len(), &self.allocations.alive());
        }
        let mut loaded = self.loaded.lock();
        for &start in &allocation.functions {
            let offset = self.offset_in_code(Addr(start));
            offset.iter().for_each(|&offset| loaded.remove(offset as u32));
        }
        drop(loaded);
        let extents = allocation.extents.iter();
        let ranges: Vec<_> = extents.map(|extent| (extent.addr, extent.size)).collect();
        let event = Unlinked { unit: allocation.symbol, ranges: &ranges };
        self.tell_unlinked(&event);
    }
}

impl Drop for Linker {
    fn drop(&mut self) {
        let mut unwind = self.allocations.unwind();
        // The unwinder of GCC 12 looks for each in a list where the newest, or the highest, come first.
        unwind.sort_unstable_by_key(|&records| Reverse(records));
        for records in unwind {
            // SAFETY: it was noted when they were registered; whoever drops a session has promised
            // that no code of it runs any more.
            unsafe { self.unwind.deregister(records) };
        }
    }
}

fn code_ranges(allocation: &Allocation) -> Vec<(Addr, u64)> {
    let code = allocation.extents.iter().filter(|extent| extent.zone == Zone::Code);
    code.map(|extent| (extent.addr, extent.size)).collect()
}
