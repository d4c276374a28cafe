//! What registers hold in a frame, and where that is saved.

use crate::target::native;

/// Registers by their DWARF numbers, as far as their values are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Registers {
    values: [u64; native::REGISTERS],
    /// Addresses where the values lie in memory; 0 where a value is in the register itself.
    places: [u64; native::REGISTERS],
    /// A bit for each register whose value is known.
    known: u32,
}

/// Where a thread left linked code: what it must find again when it returns there, as the code
/// that [`native_entry`](crate::native_entry) makes saves it. Lies on the thread's stack, right
/// below the return address.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Anchor {
    /// The address of the anchor before it, if the thread went back and forth between linked and
    /// other code; else 0.
    pub previous: u64,
    /// `r15`, `r14`, `r13`, `r12`, `rbx`, `rbp`.
    pub preserved: [u64; native::PRESERVED.len()],
    /// Where it returns to.
    pub return_address: u64,
}

/// The registers of [`Anchor::preserved`], in its order.
const SAVED: [u16; native::PRESERVED.len()] = [15, 14, 13, 12, 3, 6];
/// Where in an anchor those are, and the return address.
const SAVED_AT: u64 = 8;
const RETURN_AT: u64 = 8 * (1 + SAVED.len() as u64);

impl Registers {
    /// None whose value is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those behind the call whose anchor is at `anchor`, and the address of the anchor before it, if
    /// there is one. None if it cannot be read.
    pub fn at_anchor(
        anchor: u64,
        mut read: impl FnMut(u64) -> Option<u64>,
    ) -> Option<(Self, Option<u64>)> {
        let end = anchor.checked_add(RETURN_AT + 8)?;
        let mut registers = Self::new();
        for (index, register) in SAVED.into_iter().enumerate() {
            let place = anchor + SAVED_AT + 8 * index as u64;
            registers.save(register, place, read(place)?);
        }
        let place = anchor + RETURN_AT;
        registers.save(native::RETURN_ADDRESS, place, read(place)?);
        registers.set(native::STACK_POINTER, end);
        Some((registers, Some(read(anchor)?).filter(|&previous| previous != 0)))
    }

    /// What a register holds, if that is known.
    #[must_use]
    pub fn get(&self, register: u16) -> Option<u64> {
        let is_known = register < 32 && self.known & (1 << register) != 0;
        is_known.then(|| self.values[usize::from(register)])
    }

    /// Where in memory the value lies; none if it is in the register itself, or unknown.
    #[must_use]
    pub fn place(&self, register: u16) -> Option<u64> {
        let place = self.places.get(usize::from(register)).copied();
        place.filter(|&place| place != 0)
    }

    /// The address that the code is at, or returns to.
    #[must_use]
    pub fn pc(&self) -> Option<u64> {
        self.get(native::RETURN_ADDRESS)
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
        let index = usize::from(register);
        (self.values[index], self.places[index]) = (value, place);
        self.known |= 1 << register;
    }

    /// Says that nobody knows what a register holds.
    pub fn forget(&mut self, register: u16) {
        if let Some(place) = self.places.get_mut(usize::from(register)) {
            *place = 0;
            self.known &= !(1 << register);
        }
    }

    /// Those that calls preserve.
    #[must_use]
    pub fn preserved(&self) -> Self {
        let known = native::PRESERVED.iter().fold(0, |mask, register| mask | 1 << register);
        let mut registers = *self;
        registers.known &= known;
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
        let words: [u64; 8] = [0x900, 15, 14, 13, 12, 3, 6, 16];
        let read = |at: u64| words.get(usize::try_from(at - 0x100).ok()? / 8).copied();
        let (registers, previous) = Registers::at_anchor(0x100, read).unwrap();
        assert_eq!(previous, Some(0x900));
        for register in [3, 6, 12, 13, 14, 15, 16] {
            assert_eq!(registers.get(register), Some(u64::from(register)));
            let place = registers.place(register).unwrap();
            assert_eq!(read(place), Some(u64::from(register)));
        }
        assert_eq!((registers.sp(), registers.place(7)), (Some(0x140), None));
        assert_eq!(registers.get(0), None);
    }

    #[test]
    fn unreadable_anchors_are_none() {
        for end in 0x100..0x138 {
            let read = |at: u64| (at < end).then_some(1);
            assert_eq!(Registers::at_anchor(0x100, read), None);
        }
        assert_eq!(Registers::at_anchor(u64::MAX - 8, Some), None);
    }

    #[test]
    fn registers_that_do_not_exist_are_unknown() {
        let mut registers = Registers::new();
        registers.forget(99);
        assert_eq!((registers.get(31), registers.get(99), registers.place(99)), (None, None, None));
    }
}
