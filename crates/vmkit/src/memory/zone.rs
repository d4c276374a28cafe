//! One area of code memory: what of it is taken, and what can be taken again.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use crate::target::native::LINE;

/// Places that are looked at for a block.
const PLACES: u64 = 4;
/// Free extents that are looked at for a block.
const EXTENTS: usize = 4;

/// An area, taken from its start on; what was given back is taken first.
#[derive(Debug)]
pub(super) struct Zone {
    next: u64,
    end: u64,
    /// Sizes of free extents by their start; no two touch.
    free: BTreeMap<u64, u64>,
    /// The same by size and start.
    by_size: BTreeSet<(u64, u64)>,
    /// Bytes in them.
    free_bytes: u64,
}

/// Where a block goes, and whether something was there before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot {
    pub(super) start: u64,
    pub(super) is_used: bool,
}

impl Zone {
    pub(super) fn new(start: u64, end: u64) -> Self {
        Self { next: start, end, free: BTreeMap::new(), by_size: BTreeSet::new(), free_bytes: 0 }
    }

    /// Takes `size` bytes at a multiple of `align`, where `cost` of the address is least among a few
    /// places; none where there is no room.
    pub(super) fn take(
        &mut self,
        size: u64,
        align: u64,
        cost: impl Fn(u64) -> usize,
    ) -> Option<Spot> {
        if size > 0
            && let Some(start) = self.take_free(size, align, &cost)
        {
            return Some(Spot { start, is_used: true });
        }
        let start = cheapest(self.next, align, &cost, |_| true)?;
        let end = start.checked_add(size).filter(|&end| end <= self.end)?;
        self.next = end;
        Some(Spot { start, is_used: false })
    }

    fn take_free(&mut self, size: u64, align: u64, cost: impl Fn(u64) -> usize) -> Option<u64> {
        let extents = self.by_size.range((size, 0)..).take(EXTENTS);
        let (start, extent) = { extents }.find_map(|&(extent_size, extent)| {
            let fits =
                |start: u64| start.checked_add(size).is_some_and(|end| end <= extent + extent_size);
            cheapest(extent, align, &cost, fits).map(|start| (start, extent))
        })?;
        let end = extent + self.remove(extent);
        self.insert(extent, start - extent);
        self.insert(start + size, end - (start + size));
        Some(start)
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&mut self, mut start: u64, mut size: u64) {
        if size == 0 {
            return;
        }
        if let Some((&before, &its_size)) = self.free.range(..start).next_back()
            && before + its_size == start
        {
            size += self.remove(before);
            start = before;
        }
        if self.free.contains_key(&(start + size)) {
            size += self.remove(start + size);
        }
        self.insert(start, size);
    }

    fn insert(&mut self, start: u64, size: u64) {
        if size > 0 {
            self.free.insert(start, size);
            self.by_size.insert((size, start));
            self.free_bytes += size;
        }
    }

    fn remove(&mut self, start: u64) -> u64 {
        let size = self.free.remove(&start).expect("a free extent");
        self.by_size.remove(&(size, start));
        self.free_bytes -= size;
        size
    }

    /// The end of what was ever taken.
    pub(super) fn top(&self) -> u64 {
        self.next
    }

    /// Bytes that were never taken.
    pub(super) fn untouched(&self) -> u64 {
        self.end - self.next
    }

    /// Bytes that were given back and not taken again.
    pub(super) fn free(&self) -> u64 {
        self.free_bytes
    }
}

/// The cheapest of the next few places from `from` on that are good.
fn cheapest(
    from: u64,
    align: u64,
    cost: impl Fn(u64) -> usize,
    is_good: impl Fn(u64) -> bool,
) -> Option<u64> {
    let align = align.max(1);
    // After a line, the costs repeat.
    let first = from.checked_next_multiple_of(align)?;
    let places = (0..PLACES).map(|n| first + n * align).take_while(|place| place - first < LINE);
    let mut best = None;
    for place in places.filter(|&place| is_good(place)) {
        match cost(place) {
            0 => return Some(place),
            cost if best.is_none_or(|(least, _)| cost < least) => best = Some((cost, place)),
            _ => {}
        }
    }
    best.map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: u64 = 4096;

    fn take(zone: &mut Zone, size: u64, align: u64) -> Option<u64> {
        zone.take(size, align, |_| 0).map(|spot| spot.start)
    }

    #[test]
    fn what_is_given_back_is_taken_again() {
        let mut zone = Zone::new(0x1000, 0x1000 + SIZE);
        let blocks = [64, 32, 64].map(|size| take(&mut zone, size, 16).unwrap());
        zone.give_back(blocks[0], 64);
        zone.give_back(blocks[1], 32);
        assert_eq!(zone.free(), 96);
        // The two became one.
        assert_eq!(zone.take(96, 16, |_| 0), Some(Spot { start: blocks[0], is_used: true }));
        assert_eq!(zone.free(), 0);
        assert_eq!(zone.top(), blocks[2] + 64);
    }

    #[test]
    fn the_cheapest_place_is_taken() {
        let mut zone = Zone::new(0, SIZE);
        let cost = |place: u64| usize::from(place % 64 != 32);
        assert_eq!(zone.take(8, 16, cost).unwrap().start, 32);
        zone.give_back(32, 8);
        zone.give_back(0, 32);
        assert_eq!(zone.take(8, 16, cost).unwrap().start, 32);
    }

    proptest! {
        #[test]
        fn blocks_never_overlap(steps in prop::collection::vec((any::<bool>(), 1u64..200, 0u32..7), 1..200)) {
            let mut zone = Zone::new(1 << 20, (1 << 20) + SIZE);
            let mut taken: Vec<(u64, u64)> = Vec::new();
            for (is_take, size, align) in steps {
                let align = 1 << align;
                if is_take || taken.is_empty() {
                    let Some(start) = take(&mut zone, size, align) else { continue };
                    prop_assert_eq!(start % align, 0);
                    prop_assert!(start >= 1 << 20 && start + size <= (1 << 20) + SIZE);
                    let apart = |&(other, its): &(u64, u64)| start + size <= other || other + its <= start;
                    prop_assert!(taken.iter().all(apart));
                    taken.push((start, size));
                } else {
                    let (start, size) = taken.swap_remove(size as usize % taken.len());
                    zone.give_back(start, size);
                }
            }
            for (start, size) in taken.drain(..) {
                zone.give_back(start, size);
            }
            // Everything came together again, but for what alignment skipped.
            prop_assert!(zone.free() <= zone.top() - (1 << 20));
        }
    }
}
