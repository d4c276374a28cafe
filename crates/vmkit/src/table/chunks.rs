//! A list that grows in place: what is in it never moves, and can be looked at while it grows.

use std::sync::OnceLock;

/// Items that are made at a time.
pub(super) const ITEMS: usize = 64;
/// Chunks of items in a group, and groups.
const CHUNKS: usize = 512;
const GROUPS: usize = 512;
/// So many items there can be.
pub(super) const MOST: usize = ITEMS * CHUNKS * GROUPS;

type Chunk<T> = OnceLock<Box<[T; ITEMS]>>;
type Group<T> = OnceLock<Box<[Chunk<T>; CHUNKS]>>;

/// Items by their numbers, [`MOST`] of them.
pub(super) struct Chunks<T>(Box<[Group<T>; GROUPS]>);

/// So many items, each made in its place.
fn room<T, const COUNT: usize>(new: impl Fn() -> T) -> Box<[T; COUNT]> {
    let items: Box<[T]> = (0..COUNT).map(|_| new()).collect();
    items.try_into().unwrap_or_else(|_| unreachable!("they are as many"))
}

impl<T> Chunks<T> {
    pub(super) fn new() -> Self {
        Self(room(OnceLock::new))
    }

    /// An item, if it is there.
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let group = self.0.get(index / (ITEMS * CHUNKS))?.get()?;
        let chunk = group[index / ITEMS % CHUNKS].get()?;
        Some(&chunk[index % ITEMS])
    }

    /// An item; those near it are made with it, unless they are there.
    ///
    /// # Panics
    ///
    /// There are no such numbers.
    pub(super) fn get_or_make(&self, index: usize, new: impl Fn() -> T) -> &T {
        let group = self.0[index / (ITEMS * CHUNKS)].get_or_init(|| room(OnceLock::new));
        let chunk = group[index / ITEMS % CHUNKS].get_or_init(|| room(new));
        &chunk[index % ITEMS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_there_once_one_of_their_chunk_was_made() {
        let chunks = Chunks::new();
        let far = [0, ITEMS - 1, 5 * ITEMS, ITEMS * CHUNKS, MOST - 1];
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
