//! Packed allocations, by their numbers. Those that follow one another lie in one piece of memory, told from
//! what they have in common: a piece for each would take as much again.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::packed::{Base, Packed, Reader, Writer};
use super::{Allocation, AllocationId};

/// So many numbers share a piece: as many as there are bits.
const SHARED: u32 = u64::BITS;

/// Allocations as bytes.
#[derive(Default)]
pub(super) struct Packs {
    /// By number, divided by [`SHARED`].
    pieces: FxHashMap<u32, Piece>,
    /// Where one is packed.
    scratch: Vec<u8>,
    /// Where the next piece grows: room that is given back in part is of little use to anybody.
    spare: Vec<u8>,
}

struct Piece {
    base: Base,
    /// A bit for each number: is it there?
    present: u64,
    /// Those that are there in the order of their numbers, each after its length.
    bytes: Vec<u8>,
}

fn place(id: AllocationId) -> (u32, u32) {
    (id.number() / SHARED, id.number() % SHARED)
}

impl Packs {
    /// The allocation with a number.
    pub(super) fn get(&self, id: AllocationId) -> Option<Allocation> {
        let (piece, index) = place(id);
        self.pieces.get(&piece)?.get(index, id)
    }

    /// Keeps one, instead of what its number had.
    pub(super) fn insert(&mut self, allocation: &Allocation) {
        let (piece, index) = place(allocation.id);
        let new = || Piece {
            base: Base::of(allocation),
            present: 0,
            bytes: std::mem::take(&mut self.spare),
        };
        let piece = self.pieces.entry(piece).or_insert_with(new);
        let packed = Packed::new(allocation, &piece.base, &mut self.scratch);
        piece.replace(index, Some(packed));
        // Numbers are given away in their order: this is the last.
        if index + 1 == SHARED {
            let exact = piece.bytes.as_slice().into();
            self.spare = std::mem::replace(&mut piece.bytes, exact);
            self.spare.clear();
        }
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, id: AllocationId) {
        let (number, index) = place(id);
        let Some(piece) = self.pieces.get_mut(&number) else { return };
        piece.replace(index, None);
        if piece.present == 0 {
            self.pieces.remove(&number);
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = Allocation> {
        self.pieces.iter().flat_map(|(number, piece)| {
            let id = move |index| AllocationId::from_number(number * SHARED + index);
            (0..SHARED).filter_map(move |index| piece.get(index, id(index)))
        })
    }
}

impl Piece {
    fn has(&self, index: u32) -> bool {
        self.present >> index & 1 != 0
    }

    fn get(&self, index: u32, id: AllocationId) -> Option<Allocation> {
        self.has(index).then(|| {
            let mut reader = Reader(&self.bytes[self.place(index)]);
            Packed(reader.bytes()).allocation(id, &self.base)
        })
    }

    /// Where one is, with its length; where it would be, if it is not there.
    fn place(&self, index: u32) -> Range<usize> {
        // Mostly it comes last.
        if self.present >> index == 0 {
            return self.bytes.len()..self.bytes.len();
        }
        let before = (self.present & ((1 << index) - 1)).count_ones();
        let mut reader = Reader(&self.bytes);
        for _ in 0..before {
            reader.bytes();
        }
        let start = self.bytes.len() - reader.0.len();
        if self.has(index) {
            reader.bytes();
        }
        start..self.bytes.len() - reader.0.len()
    }

    /// Puts one in the place of what is there.
    fn replace(&mut self, index: u32, packed: Option<Packed<'_>>) {
        let Range { start, end } = self.place(index);
        let after = self.bytes.split_off(end);
        self.bytes.truncate(start);
        if let Some(Packed(bytes)) = packed {
            Writer(&mut self.bytes).bytes(bytes);
        }
        self.bytes.extend(after);
        self.present = self.present & !(1 << index) | u64::from(packed.is_some()) << index;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::symbol::SymbolId;

    /// One of so many bytes at least.
    fn allocation(number: u32, byte: u8, len: usize) -> Allocation {
        let id = AllocationId::from_number(number);
        let mut allocation = Allocation::new(id, SymbolId(byte.into()));
        allocation.functions.extend(vec![byte.into(); len]);
        allocation
    }

    proptest! {
        #[test]
        fn what_was_inserted_last_is_there(
            changes in vec((0u32..200, prop::option::of((0u8..9, 1usize..400))), 0..300),
        ) {
            let (mut packs, mut expected) = (Packs::default(), BTreeMap::new());
            for (number, new) in changes {
                let id = AllocationId::from_number(number);
                match new.map(|(byte, len)| allocation(number, byte, len)) {
                    Some(allocation) => {
                        packs.insert(&allocation);
                        expected.insert(number, allocation);
                    }
                    None => {
                        packs.remove(id);
                        expected.remove(&number);
                    }
                }
                prop_assert_eq!(packs.get(id), expected.get(&number).cloned());
            }
            for number in 0..200 {
                let id = AllocationId::from_number(number);
                prop_assert_eq!(packs.get(id), expected.get(&number).cloned());
            }
            let mut all: Vec<_> = packs.all().collect();
            all.sort_by_key(|allocation| allocation.id.number());
            prop_assert!(all.iter().eq(expected.values()));
        }
    }

    #[test]
    fn what_comes_and_goes_takes_bounded_memory() {
        let mut packs = Packs::default();
        for round in 0..10_000 {
            packs.insert(&allocation(7, 1, 200));
            packs.insert(&allocation(round % 5, 2, 100));
            let piece = &packs.pieces[&0];
            assert!(piece.bytes.capacity() <= 4096, "{}", piece.bytes.capacity());
        }
        (0..8).for_each(|number| packs.remove(AllocationId::from_number(number)));
        assert!(packs.pieces.is_empty() && packs.all().next().is_none());
    }
}
