//! Where code and data lie.

use std::ops::Range;

use super::pages::Pages;
use super::{Memory, Zone};
use crate::symbol::Addr;

/// The parts of a session's range of addresses, the lowest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Stubs and code.
    pub code: Range<Addr>,
    /// Data that only linking writes.
    pub read_only: Range<Addr>,
    /// All other data, but for what is so large that it is mapped apart.
    pub data: Range<Addr>,
}

impl Memory {
    pub(crate) fn layout(&self) -> Layout {
        let [stubs, read_only, slots, data] =
            [Zone::Stubs, Zone::ReadOnly, Zone::Slots, Zone::Data].map(|zone| self.start(zone));
        let end = Addr(self.range.base() + self.range.size());
        Layout { code: stubs..read_only, read_only: read_only..slots, data: data..end }
    }

    /// Where there are variables by now.
    pub(crate) fn variables(&self) -> Vec<Range<Addr>> {
        let apart = self.large.lock();
        let near = self.start(Zone::Data)..self.top(Zone::Data);
        std::iter::once(near).chain(apart.iter().map(Pages::range)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::LARGEST_NEAR;

    #[test]
    fn variables_lie_where_data_was_taken() {
        let memory = Memory::reserve(None, false).unwrap();
        assert!(memory.variables()[0].is_empty());
        for size in [8, LARGEST_NEAR + 8] {
            let start = memory.allocate(Zone::Data, size, 8).unwrap().addr;
            let last = start.offset(size as i64 - 1);
            let is_around = |part: &Range<Addr>| part.contains(&start) && part.contains(&last);
            assert!(memory.variables().iter().any(is_around), "{size:#x} bytes");
        }
        let size: u64 = memory.variables().iter().map(|part| part.end.0 - part.start.0).sum();
        assert!(size < 2 * LARGEST_NEAR, "and hardly anywhere else");
    }

    #[test]
    fn what_is_allocated_lies_in_its_part() {
        let memory = Memory::reserve(None, false).unwrap();
        let layout = memory.layout();
        let check = |zone, part: &Range<Addr>| {
            let block = memory.allocate(zone, 8, 8).unwrap();
            let parts = [&layout.code, &layout.read_only, &layout.data];
            let around = parts.iter().filter(|part| part.contains(&block.addr)).count();
            assert!(part.contains(&block.addr) && around == 1, "{zone:?} {layout:x?}");
        };
        check(Zone::Stubs, &layout.code);
        check(Zone::Code, &layout.code);
        check(Zone::ReadOnly, &layout.read_only);
        check(Zone::Data, &layout.data);
    }
}
