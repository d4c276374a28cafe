//! Statepoints: what the stack map of a call says to a garbage collector.
//!
//! The order of a statepoint's locations is LLVM's (LLVM documentation, "Garbage Collection
//! Safepoints in LLVM", "Stack Map Format"):
//!
//! ```text
//! convention │ flags │ number of deopt values │ deopt values │ base, derived │ … │ frame slots
//! ```

use super::{Location, Place, Record};

/// A record that is a statepoint's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statepoint<'a> {
    /// The number of the callee's calling convention.
    pub convention: i64,
    /// 1: into another kind of code (a GC transition); 2: deopt values may be dropped.
    pub flags: i64,
    /// What the virtual machine asked to be able to find, in its order.
    pub deopt: &'a [Location],
    pairs: &'a [Location],
    slots: &'a [Location],
}

/// A reference that is live behind the call, and the start of the object that it points into; the
/// two are the same for most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pair<T> {
    /// The start of the object.
    pub base: T,
    /// The reference.
    pub derived: T,
}

impl Record {
    /// The record as a statepoint's; none if its locations are not in a statepoint's order. Stack
    /// maps do not say what a record is: where a module has others too, whose first values are three
    /// constants, their ids tell them apart.
    #[must_use]
    pub fn statepoint(&self) -> Option<Statepoint<'_>> {
        let (head, rest) = self.locations.split_at_checked(3)?;
        let [convention, flags, deopt] = [0, 1, 2].map(|index| match head[index].place {
            Place::Constant(value) => Some(value),
            _ => None,
        });
        let (convention, flags) = (convention?, flags.filter(|flags| (0..4).contains(flags))?);
        let (deopt, rest) = rest.split_at_checked(usize::try_from(deopt?).ok()?)?;
        let is_slot = |location: &Location| matches!(location.place, Place::Address { .. });
        let pairs = rest.iter().position(is_slot).unwrap_or(rest.len());
        let (pairs, slots) = rest.split_at(pairs);
        let is_sound = pairs.len() % 2 == 0 && slots.iter().all(is_slot);
        is_sound.then_some(Statepoint { convention, flags, deopt, pairs, slots })
    }
}

impl<'a> Statepoint<'a> {
    /// The references that are live behind the call.
    pub fn pairs(&self) -> impl Iterator<Item = Pair<Place>> + use<'a> {
        let pair = |pair: &[Location]| Pair { base: pair[0].place, derived: pair[1].place };
        self.pairs.chunks_exact(2).map(pair)
    }

    /// Variables in the frame that hold references: their addresses.
    pub fn slots(&self) -> impl Iterator<Item = Place> + use<'a> {
        self.slots.iter().map(|location| location.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPILLED: Place = Place::Memory { register: 7, offset: 8 };
    const SLOT: Place = Place::Address { register: 7, offset: 16 };

    fn record(places: &[Place]) -> Record {
        let locations = places.iter().map(|&place| Location { place, size: 8 }).collect();
        Record { function: 0, id: 1, offset: 4, locations, live_outs: Vec::new() }
    }

    fn head(flags: i64, deopt: i64) -> [Place; 3] {
        [Place::Constant(9), Place::Constant(flags), Place::Constant(deopt)]
    }

    #[test]
    fn all_parts_are_told_apart() {
        let rest = [Place::Constant(5), SLOT, SPILLED, Place::Register(3), SLOT];
        let record = record(&[&head(2, 2)[..], &rest].concat());
        let point = record.statepoint().unwrap();
        assert_eq!((point.convention, point.flags), (9, 2));
        let deopt: Vec<_> = point.deopt.iter().map(|location| location.place).collect();
        assert_eq!(deopt, [Place::Constant(5), SLOT]);
        let pair = Pair { base: SPILLED, derived: Place::Register(3) };
        assert_eq!(point.pairs().collect::<Vec<_>>(), [pair]);
        assert_eq!(point.slots().collect::<Vec<_>>(), [SLOT]);
    }

    #[test]
    fn other_records_are_none() {
        let check = |places: &[Place]| assert_eq!(record(places).statepoint(), None, "{places:?}");
        check(&[]);
        check(&head(0, 0)[..2]);
        check(&head(4, 0));
        check(&head(-1, 0));
        check(&head(0, 1));
        check(&head(0, -1));
        check(&[SPILLED, Place::Constant(0), Place::Constant(0)]);
        check(&[&head(0, 0)[..], &[SPILLED]].concat());
        check(&[&head(0, 0)[..], &[SLOT, SPILLED]].concat());
    }
}
