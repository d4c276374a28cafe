//! A function's frame on a stack, and the references in it.

use std::sync::Arc;

use super::Registers;
use crate::code::Function;
use crate::metadata::{Pair, Place, Record, Tag};

/// The frame of a linked function.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The function.
    pub function: Arc<Function>,
    /// What registers hold in it: behind the call that it is in.
    pub registers: Registers,
    /// The canonical frame address: the stack pointer behind the call of this function. None if the
    /// producer gave no rules to unwind by.
    pub cfa: Option<u64>,
    /// Where it goes on.
    pub pc: u64,
    /// Whether it is in a call, rather than interrupted anywhere.
    pub is_call: bool,
}

/// Where a value is, and can be replaced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Slot {
    /// In memory, at this address.
    Memory(u64),
    /// In this register of the thread itself: no frame within saved it.
    Register(u16),
}

impl Frame {
    /// The address of the instruction that it is in: the call, or the next one to run.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.pc.wrapping_sub(u64::from(self.is_call))
    }

    /// What the stack map says of the place.
    #[must_use]
    pub fn point(&self) -> Option<&Record> {
        self.function.point(self.pc)
    }

    /// What the producer was told to pass on about the place; the addresses of slots are
    /// [values](Frame::value) of their places.
    #[must_use]
    pub fn tags(&self) -> &[Tag] {
        self.function.tags(self.pc, self.is_call)
    }

    /// The references that are live in it, by its statepoint; those that are constants, such as
    /// null, are left out.
    pub fn roots(&self) -> impl Iterator<Item = Pair<Slot>> + '_ {
        let statepoint = self.point().and_then(Record::statepoint);
        let pairs = statepoint.map(|point| point.pairs()).into_iter().flatten();
        let pairs = pairs.filter_map(|pair| {
            Some(Pair { base: self.slot(pair.base)?, derived: self.slot(pair.derived)? })
        });
        let slots = statepoint.map(|point| point.slots()).into_iter().flatten();
        let variables = slots.filter_map(|place| {
            let slot = Slot::Memory(self.value(place, |_| None)?);
            Some(Pair { base: slot, derived: slot })
        });
        pairs.chain(variables)
    }

    /// Where the value of a place can be read and replaced; none if it is nowhere.
    #[must_use]
    pub fn slot(&self, place: Place) -> Option<Slot> {
        match place {
            Place::Memory { register, offset } => {
                let base = self.registers.get(register)?;
                Some(Slot::Memory(base.wrapping_add_signed(offset.into())))
            }
            Place::Register(register) => match self.registers.place(register) {
                Some(place) => Some(Slot::Memory(place)),
                None => self.registers.get(register).map(|_| Slot::Register(register)),
            },
            Place::Address { .. } | Place::Constant(_) => None,
        }
    }

    /// The value of a place, such as one of the deopt values; of a place in memory, the word there.
    pub fn value(&self, place: Place, read: impl FnOnce(u64) -> Option<u64>) -> Option<u64> {
        match place {
            Place::Constant(value) => Some(value.cast_unsigned()),
            Place::Register(register) => self.registers.get(register),
            Place::Address { register, offset } => {
                Some(self.registers.get(register)?.wrapping_add_signed(offset.into()))
            }
            Place::Memory { register, offset } => {
                read(self.registers.get(register)?.wrapping_add_signed(offset.into()))
            }
        }
    }

    /// Tells the frame where the objects that it refers to are now. `forward` gives the new address
    /// of the object at an address, however often it is asked; references into an object move with
    /// it. Null stays.
    pub fn relocate(
        &self,
        mut read: impl FnMut(Slot) -> u64,
        mut write: impl FnMut(Slot, u64),
        mut forward: impl FnMut(u64) -> u64,
    ) {
        // A slot can be the base of many and derived itself: all are read before any is replaced.
        let mut found: Vec<(Slot, u64, u64)> = Vec::new();
        for Pair { base, derived } in self.roots() {
            let object = read(base);
            if object != 0 {
                found.push((base, object, object));
                found.push((derived, object, read(derived)));
            }
        }
        for (slot, object, reference) in found {
            write(slot, forward(object).wrapping_add(reference.wrapping_sub(object)));
        }
    }
}
