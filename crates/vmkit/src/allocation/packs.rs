//! Packed allocations, by their numbers. Some that follow one another lie in one piece of memory: a piece
//! for each would take as much again.

use rustc_hash::FxHashMap;

/// So many numbers share a piece.
const SHARED: u32 = 32;
/// What takes more bytes lies apart.
const LARGEST: usize = u8::MAX as usize;

/// Allocations as bytes.
#[derive(Default)]
pub(super) struct Packs {
    /// By number, divided by [`SHARED`].
    pieces: FxHashMap<u32, Piece>,
    /// By number.
    large: FxHashMap<u32, Box<[u8]>>,
    /// Where the next piece grows: room that is given back in part is of little use to anybody.
    spare: Vec<u8>,
}

struct Piece {
    bytes: Vec<u8>,
    /// Where each begins, and its length; that is 0 where there is none.
    starts: [u16; SHARED as usize],
    lens: [u8; SHARED as usize],
}

// All lie within the reach of a start, and as many bytes of what is gone.
const _: () = assert!((SHARED as usize + 1) * LARGEST * 2 <= u16::MAX as usize);

impl Packs {
    /// The bytes of one.
    pub(super) fn get(&self, number: u32) -> Option<&[u8]> {
        let piece = self.pieces.get(&(number / SHARED));
        let shared = piece.and_then(|piece| piece.get((number % SHARED) as usize));
        shared.or_else(|| self.large.get(&number).map(|bytes| &**bytes))
    }

    /// Keeps the bytes of one, instead of those that it had.
    pub(super) fn insert(&mut self, number: u32, bytes: &[u8]) {
        if bytes.len() > LARGEST {
            self.remove(number);
            self.large.insert(number, bytes.into());
            return;
        }
        if !self.large.is_empty() {
            self.large.remove(&number);
        }
        let new = || Piece::new(std::mem::take(&mut self.spare));
        let piece = self.pieces.entry(number / SHARED).or_insert_with(new);
        piece.remove((number % SHARED) as usize);
        piece.push((number % SHARED) as usize, bytes);
        // Numbers are given away in their order: this is the last.
        if number % SHARED + 1 == SHARED {
            let exact = piece.bytes.as_slice().into();
            self.spare = std::mem::replace(&mut piece.bytes, exact);
            self.spare.clear();
        }
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, number: u32) {
        if !self.large.is_empty() {
            self.large.remove(&number);
        }
        let Some(piece) = self.pieces.get_mut(&(number / SHARED)) else { return };
        piece.remove((number % SHARED) as usize);
        if piece.lens == [0; _] {
            self.pieces.remove(&(number / SHARED));
        }
    }

    /// The bytes of all.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        let shared = |piece| (0..SHARED as usize).filter_map(move |index| Piece::get(piece, index));
        let large = self.large.values().map(|bytes| &**bytes);
        self.pieces.values().flat_map(shared).chain(large)
    }
}

impl Piece {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, starts: [0; _], lens: [0; _] }
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let (start, len) = (self.starts[index].into(), self.lens[index].into());
        (len > 0).then(|| &self.bytes[start..][..len])
    }

    fn push(&mut self, index: usize, bytes: &[u8]) {
        self.starts[index] = self.bytes.len() as u16;
        self.lens[index] = bytes.len() as u8;
        self.bytes.extend_from_slice(bytes);
    }

    fn remove(&mut self, index: usize) {
        if std::mem::take(&mut self.lens[index]) == 0 {
            return;
        }
        let used: usize = self.lens.iter().map(|&len| usize::from(len)).sum();
        if self.bytes.len() > 2 * used + LARGEST {
            self.tighten(used);
        }
    }

    /// Drops the bytes of those that are gone.
    fn tighten(&mut self, used: usize) {
        let mut bytes = Vec::with_capacity(used);
        for index in 0..SHARED as usize {
            let start = bytes.len() as u16;
            bytes.extend_from_slice(self.get(index).unwrap_or(&[]));
            self.starts[index] = start;
        }
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_inserted_last_is_there(
            changes in vec((0u32..100, prop::option::of((0u8..9, 1usize..400))), 0..300),
        ) {
            let (mut packs, mut expected) = (Packs::default(), BTreeMap::new());
            for (number, bytes) in changes {
                match bytes.map(|(byte, len)| vec![byte; len]) {
                    Some(bytes) => {
                        packs.insert(number, &bytes);
                        expected.insert(number, bytes);
                    }
                    None => {
                        packs.remove(number);
                        expected.remove(&number);
                    }
                }
                prop_assert_eq!(packs.get(number), expected.get(&number).map(|bytes| &**bytes));
            }
            for number in 0..100 {
                prop_assert_eq!(packs.get(number), expected.get(&number).map(|bytes| &**bytes));
            }
            prop_assert_eq!(packs.all().count(), expected.len());
        }
    }

    #[test]
    fn what_comes_and_goes_takes_bounded_memory() {
        let mut packs = Packs::default();
        for round in 0..10_000 {
            packs.insert(7, &[1; 200]);
            packs.insert(round % 5, &[2; 100]);
            let piece = &packs.pieces[&0];
            assert!(piece.bytes.capacity() <= 4096, "{}", piece.bytes.capacity());
        }
        (0..8).for_each(|number| packs.remove(number));
        assert!(packs.pieces.is_empty() && packs.all().next().is_none());
    }
}
