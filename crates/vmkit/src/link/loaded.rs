//! Functions by where their code is.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::symbol::SymbolId;

/// Bytes of code whose functions are listed together: a list takes half of what a tree does.
const PAGE: u32 = 4096;

/// Functions, by where in the zone of code they begin.
#[derive(Default)]
pub(super) struct Loaded(BTreeMap<u32, Vec<Code>>);

/// The code of a function: where it begins, and its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Code {
    pub(super) start: u32,
    pub(super) size: u32,
    pub(super) symbol: SymbolId,
}

impl Loaded {
    /// Notes a function, instead of another that begins there.
    pub(super) fn insert(&mut self, code: Code) {
        let page = self.0.entry(code.start / PAGE).or_default();
        match page.binary_search_by_key(&code.start, |other| other.start) {
            Ok(at) => page[at] = code,
            Err(at) => page.insert(at, code),
        }
    }

    /// Forgets the function that begins at a place.
    pub(super) fn remove(&mut self, start: u32) {
        let Some(page) = self.0.get_mut(&(start / PAGE)) else { return };
        if let Ok(at) = page.binary_search_by_key(&start, |code| code.start) {
            page.remove(at);
        }
        if page.is_empty() {
            self.0.remove(&(start / PAGE));
        }
    }

    /// The function whose code a place is in.
    pub(super) fn at(&self, place: u32) -> Option<Code> {
        let mut pages = self.0.range(..=place / PAGE).rev();
        let last = pages.find_map(|(_, page)| {
            let after = page.partition_point(|code| code.start <= place);
            page[..after].last()
        });
        last.copied().filter(|code| place - code.start < code.size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_in_the_function_that_covers_it(
            steps in vec((0..40u32, any::<bool>()), 0..60),
            places in vec(0..41 * 1000u32, 20),
        ) {
            let (mut loaded, mut expected) = (Loaded::default(), BTreeMap::new());
            for (number, (at, is_there)) in (0..).zip(steps) {
                let code = Code { start: at * 1000, size: 700, symbol: SymbolId(number) };
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
