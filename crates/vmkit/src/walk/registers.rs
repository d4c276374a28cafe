//! What registers hold in a frame, and where that is saved.

use crate::target::native;

/// Registers by their DWARF numbers, as far as their values are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registers {
    values: [u64; native::REGISTERS],
    /// Addresses where the values lie in memory; 0 where a value is in the register itself.
    places: [u64; native::REGISTERS],
    /// A bit for each register whose value is known.
    known: u64,
}

/// Where a thread left linked code: what it must find again when it returns there, as the code
/// that [`native_entry`](crate::native_entry) makes saves it. Lies on the thread's stack, right
/// below the return address if that is on the stack, else right below what was on the stack at the
/// call.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Anchor {
    /// The address of the anchor before it, if the thread went back and forth between linked and
    /// other code; else 0.
    pub previous: u64,
    /// Those of [`ANCHORED`](native::ANCHORED), in that order.
    pub preserved: [u64; native::ANCHORED.len()],
    /// Where it returns to.
    pub return_address: u64,
}

/// Where in an anchor those are, and the return address.
const SAVED_AT: u64 = 8;
const RETURN_AT: u64 = 8 * (1 + native::ANCHORED.len() as u64);

impl Default for Registers {
    fn default() -> Self {
        Self::new()
    }
}

impl Registers {
    /// None whose value is known.
    #[must_use]
    pub fn new() -> Self {
        let (values, places) = ([0; native::REGISTERS], [0; native::REGISTERS]);
        Self { values, places, known: 0 }
    }

    /// Those behind the call whose anchor is at `anchor`, and the address of the anchor before it, if
    /// there is one. None if it cannot be read.
    pub fn at_anchor(
        anchor: u64,
        mut read: impl FnMut(u64) -> Option<u64>,
    ) -> Option<(Self, Option<u64>)> {
        let end = anchor.checked_add(RETURN_AT + 8)?;
        let mut registers = Self::new();
        for (index, register) in native::ANCHORED.into_iter().enumerate() {
            let place = anchor + SAVED_AT + 8 * index as u64;
            registers.save(register, place, read(place)?);
        }
        let place = anchor + RETURN_AT;
        registers.save(native::PROGRAM_COUNTER, place, read(place)?);
        registers.set(native::STACK_POINTER, end);
        Some((registers, Some(read(anchor)?).filter(|&previous| previous != 0)))
    }

    /// What a register holds, if that is known.
    #[must_use]
    pub fn get(&self, register: u16) -> Option<u64> {
        let index = native::register(register)?;
        (self.known & (1 << index) != 0).then(|| self.values[index])
    }

    /// Where in memory the value lies; none if it is in the register itself, or unknown.
    #[must_use]
    pub fn place(&self, register: u16) -> Option<u64> {
        let index = native::register(register)?;
        Some(self.places[index]).filter(|&place| place != 0)
    }

    /// The address that the code is at, or returns to.
    #[must_use]
    pub fn pc(&self) -> Option<u64> {
        self.get(native::PROGRAM_COUNTER)
    }

    /// The stack pointer.
    #[must_use]
    pub fn sp(&self) -> Option<u64> {
        self.get(native::STACK_POINTER)
    }

    /// Says that the register itself holds a value.
    ///
    /// # Panics
    ///
    /// If there is no such register.
    pub fn set(&mut self, register: u16, value: u64) {
        self.save(register, 0, value);
    }

    /// Says that what a register holds is saved in memory at `place`.
    ///
    /// # Panics
    ///
    /// If there is no such register.
    pub fn save(&mut self, register: u16, place: u64, value: u64) {
        let index = native::register(register).expect("a register that a walk follows");
        (self.values[index], self.places[index]) = (value, place);
        self.known |= 1 << index;
    }

    /// Says that nobody knows what a register holds.
    pub fn forget(&mut self, register: u16) {
        if let Some(index) = native::register(register) {
            self.places[index] = 0;
            self.known &= !(1 << index);
        }
    }

    /// Those that calls preserve.
    #[must_use]
    pub fn preserved(&self) -> Self {
        let preserved = native::PRESERVED.into_iter().filter_map(native::register);
        let mut registers = *self;
        registers.known &= preserved.fold(0, |mask, index| mask | 1 << index);
        registers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_have_the_layout_that_is_read() {
        let at = std::mem::offset_of!(Anchor, preserved) as u64;
        assert_eq!(at, SAVED_AT);
        assert_eq!(std::mem::offset_of!(Anchor, return_address) as u64, RETURN_AT);
        assert_eq!(size_of::<Anchor>() as u64, RETURN_AT + 8);
    }

    #[test]
    fn an_anchor_gives_registers_and_their_places() {
        let mut words = vec![0x900];
        words.extend(native::ANCHORED.map(u64::from));
        words.push(native::PROGRAM_COUNTER.into());
        let read = |at: u64| words.get(usize::try_from(at - 0x100).ok()? / 8).copied();
        let (registers, previous) = Registers::at_anchor(0x100, read).unwrap();
        assert_eq!(previous, Some(0x900));
        for register in native::ANCHORED.into_iter().chain([native::PROGRAM_COUNTER]) {
            assert_eq!(registers.get(register), Some(u64::from(register)));
            let place = registers.place(register).unwrap();
            assert_eq!(read(place), Some(u64::from(register)));
        }
        let end = 0x100 + size_of::<Anchor>() as u64;
        assert_eq!((registers.sp(), registers.place(native::STACK_POINTER)), (Some(end), None));
        assert_eq!(registers.get(0), None);
    }

    #[test]
    fn unreadable_anchors_are_none() {
        for end in 0x100..0x100 + RETURN_AT {
            let read = |at: u64| (at < end).then_some(1);
            assert_eq!(Registers::at_anchor(0x100, read), None);
        }
        assert_eq!(Registers::at_anchor(u64::MAX - 8, Some), None);
    }

    #[test]
    fn registers_that_do_not_exist_are_unknown() {
        let mut registers = Registers::new();
        registers.forget(99);
        assert_eq!((registers.get(1), registers.get(99), registers.place(99)), (None, None, None));
    }
}
