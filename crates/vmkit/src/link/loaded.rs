//! Functions by where their code is.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::symbol::SessionTag;

/// Bytes of code whose functions are listed together: a list takes a quarter of what a tree does.
const PAGE: u32 = 1 << PAGE_BITS;
const PAGE_BITS: u32 = 12;
const INDEX_BITS: u32 = SessionTag::SHIFT;
/// More than any function has.
const SIZE_BITS: u32 = u64::BITS - PAGE_BITS - INDEX_BITS;
/// A list grows by so many, for there are as many lists as pages.
const MORE: usize = 8;

/// Functions, by where in the zone of code they begin.
#[derive(Default)]
pub(super) struct Loaded(BTreeMap<u32, Vec<Packed>>);

/// The code of a function: where it begins, its size, and the index of its symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Code {
    pub(super) start: u32,
    pub(super) size: u32,
    pub(super) symbol: u32,
}

/// Code in one word, from the highest bit on: where in its page it begins, its symbol, its size.
#[derive(Clone, Copy)]
struct Packed(u64);

impl Packed {
    fn new(code: Code) -> Self {
        let size = code.size.min((1 << SIZE_BITS) - 1);
        let start_and_symbol = u64::from(code.start % PAGE) << INDEX_BITS | u64::from(code.symbol);
        Self(start_and_symbol << SIZE_BITS | u64::from(size))
    }

    /// Where in its page it begins.
    fn start(self) -> u32 {
        (self.0 >> (INDEX_BITS + SIZE_BITS)) as u32
    }

    fn code(self, page: u32) -> Code {
        let symbol = (self.0 >> SIZE_BITS) as u32 % (1 << INDEX_BITS);
        let size = self.0 as u32 % (1 << SIZE_BITS);
        Code { start: page * PAGE + self.start(), size, symbol }
    }
}

impl Loaded {
    /// Notes a function, instead of another that begins there.
    pub(super) fn insert(&mut self, code: Code) {
        let page = self.0.entry(code.start / PAGE).or_default();
        if page.len() == page.capacity() {
            page.reserve_exact(MORE);
        }
        let packed = Packed::new(code);
        match page.binary_search_by_key(&packed.start(), |other| other.start()) {
            Ok(at) => page[at] = packed,
            Err(at) => page.insert(at, packed),
        }
    }

    /// Forgets the function that begins at a place.
    pub(super) fn remove(&mut self, start: u32) {
        let Some(page) = self.0.get_mut(&(start / PAGE)) else { return };
        if let Ok(at) = page.binary_search_by_key(&(start % PAGE), |code| code.start()) {
            page.remove(at);
        }
        if page.is_empty() {
            self.0.remove(&(start / PAGE));
        }
    }

    /// The function whose code a place is in.
    pub(super) fn at(&self, place: u32) -> Option<Code> {
        let mut pages = self.0.range(..=place / PAGE).rev();
        let last = pages.find_map(|(&number, page)| {
            let is_before = |code: &Packed| code.code(number).start <= place;
            let before = &page[..page.partition_point(is_before)];
            before.last().map(|code| code.code(number))
        });
        last.filter(|code| place - code.start < code.size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const LAST: u32 = (1 << INDEX_BITS) - 1;

    #[test]
    fn the_largest_code_takes_a_word() {
        let code = Code { start: 7 * PAGE - 1, size: 1 << (SIZE_BITS - 1), symbol: LAST };
        assert_eq!(Packed::new(code).code(6), code);
        let too_large = Packed::new(Code { size: u32::MAX, ..code }).code(6);
        assert_eq!(too_large, Code { size: (1 << SIZE_BITS) - 1, ..code });
    }

    proptest! {
        #[test]
        fn a_place_is_in_the_function_that_covers_it(
            steps in vec((0..40u32, any::<bool>()), 0..60),
            places in vec(0..41 * 1000u32, 20),
        ) {
            let (mut loaded, mut expected) = (Loaded::default(), BTreeMap::new());
            for (number, (at, is_there)) in (0..).zip(steps) {
                let code = Code { start: at * 1000, size: 700, symbol: LAST - number };
                if is_there {
                    loaded.insert(code);
                    expected.insert(code.start, code);
                } else {
                    loaded.remove(code.start);
                    expected.remove(&code.start);
                }
            }
            for place in places {
                let before = expected.range(..=place).next_back();
                let found = before.map(|(_, code)| *code).filter(|code| place - code.start < 700);
                prop_assert_eq!(loaded.at(place), found);
            }
        }
    }
}
