//! Where code and data lie.

use std::ops::Range;

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
}

#[cfg(test)]
mod tests {
    use super::*;

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
