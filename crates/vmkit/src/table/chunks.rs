//! A list that grows in place: what is in it never moves, and can be looked at while it grows.

use std::sync::OnceLock;

/// Items that are made at a time.
pub(super) const ITEMS: usize = 16;
/// Chunks of items in the first group; each other one has twice as many as the one before. A few small
/// steps: what is new costs little, and the first items are found as quickly as all others.
const FIRST: usize = 8;
/// So many items there can be.
pub(super) const MOST: usize = 1 << 24;
/// The groups that have room for them.
const GROUPS: usize = (MOST / ITEMS / FIRST).ilog2() as usize + 1;

type Chunk<T> = OnceLock<Box<[T; ITEMS]>>;
type Group<T> = OnceLock<Box<[Chunk<T>]>>;

/// Items by their numbers, [`MOST`] of them.
pub(super) struct Chunks<T>([Group<T>; GROUPS]);

/// The group of an item, and the place of its chunk there.
fn place(index: usize) -> (usize, usize) {
    let chunk = index / ITEMS + FIRST;
    let group = (chunk / FIRST).ilog2();
    (group as usize, chunk - (FIRST << group))
}

impl<T> Chunks<T> {
    pub(super) fn new() -> Self {
        Self([const { OnceLock::new() }; GROUPS])
    }

    /// An item, if it is there.
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let (group, chunk) = place(index);
        let chunk = self.0.get(group)?.get()?[chunk].get()?;
        Some(&chunk[index % ITEMS])
    }

    /// An item; those near it are made with it, unless they are there.
    ///
    /// # Panics
    ///
    /// There are no such numbers.
    pub(super) fn get_or_make(&self, index: usize, new: impl Fn() -> T) -> &T {
        assert!(index < MOST, "there is no item {index}");
        let (group, chunk) = place(index);
        let chunks = || (0..FIRST << group).map(|_| OnceLock::new()).collect();
        let items = || {
            let items: Box<[T]> = (0..ITEMS).map(|_| new()).collect();
            items.try_into().unwrap_or_else(|_| unreachable!("they are as many"))
        };
        let chunk = self.0[group].get_or_init(chunks)[chunk].get_or_init(items);
        &chunk[index % ITEMS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_there_once_one_of_their_chunk_was_made() {
        let chunks = Chunks::new();
        let far = [0, ITEMS - 1, 5 * ITEMS, FIRST * ITEMS, MOST - 1];
        for (number, &index) in far.iter().enumerate() {
            let was_there = chunks.get(index).is_some();
            assert_eq!(was_there, number == 1, "{index}");
            let made = std::ptr::from_ref(chunks.get_or_make(index, || number));
            assert_eq!(chunks.get(index).map(std::ptr::from_ref), Some(made));
        }
        let items = far.map(|index| *chunks.get(index).unwrap());
        assert_eq!(items, [0, 0, 2, 3, 4]);
        assert!(chunks.get(MOST).is_none() && chunks.get(ITEMS).is_none());
    }
}
