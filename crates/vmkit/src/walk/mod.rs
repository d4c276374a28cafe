//! Walking a stack: from one frame of linked code to its caller's.
//!
//! A pure function over registers, the code that is known, and whatever reads the stack: it runs on
//! an array as well as on the stack of a thread that stands still.
#![forbid(unsafe_code)]

mod frame;
mod registers;

pub use self::frame::{Frame, Slot};
pub use self::registers::{Anchor, Registers};
use crate::code::CodeMap;
use crate::host;
use crate::metadata::{Cfa, Place, Row, Rule, evaluate};
use crate::target::native;

/// Walks the frames of linked functions, from the innermost outwards.
///
/// It ends where the code is none that the map knows, unless an [`Anchor`] tells of a frame further
/// out from which the thread went there.
#[derive(Debug)]
pub struct Walker<'a, R> {
    map: &'a CodeMap,
    read: R,
    registers: Registers,
    /// The anchor to go on from where linked code is left.
    anchor: Option<u64>,
    is_call: bool,
    end: Option<End>,
}

/// Why a walk ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The code is none of the map's.
    Native,
    /// The function's producer did not say how to unwind from here, or the record is damaged.
    NoRules,
    /// The stack could not be read.
    Unreadable,
    /// By the rules, the caller's frame lies within its callee's: the stack is damaged.
    Backwards,
}

impl<'a, R: FnMut(u64) -> Option<u64>> Walker<'a, R> {
    /// Walks from registers as they are behind a call. `read` gives the word at an address of the
    /// stack, if there is one.
    pub fn new(map: &'a CodeMap, registers: Registers, read: R) -> Self {
        Self { map, read, registers, anchor: None, is_call: true, end: None }
    }

    /// Walks from registers as they are anywhere, the program counter at the next instruction.
    pub fn interrupted(map: &'a CodeMap, registers: Registers, read: R) -> Self {
        Self { is_call: false, ..Self::new(map, registers, read) }
    }

    /// Walks from where a thread left linked code, at the [`Anchor`] with this address, through all
    /// anchors before it.
    pub fn from_anchor(map: &'a CodeMap, anchor: u64, read: R) -> Self {
        let mut walker = Self::new(map, Registers::new(), read);
        walker.anchor = Some(anchor);
        walker.pass();
        walker
    }

    /// The value of a place in a frame of the walk's, as [`Frame::value`] has it.
    pub fn value(&mut self, frame: &Frame, place: Place) -> Option<u64> {
        frame.value(place, &mut self.read)
    }

    /// Why there are no more frames; none while there may be.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// The registers in the frame that comes next: once the walk has ended, of the one it could not
    /// go into.
    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// Goes on from other registers, those of a frame further out.
    pub fn resume(&mut self, registers: Registers) {
        (self.registers, self.is_call, self.end) = (registers, true, None);
    }

    /// Goes on from the next anchor. What is in between is not linked code.
    fn pass(&mut self) -> bool {
        let Some(anchor) = self.anchor.take() else { return false };
        match Registers::at_anchor(anchor, &mut self.read) {
            // Anchors lie further out, the one before the other.
            Some((_, Some(previous))) if previous <= anchor => self.end = Some(End::Backwards),
            Some((registers, previous)) => {
                self.resume(registers);
                self.anchor = previous;
            }
            None => self.end = Some(End::Unreadable),
        }
        self.end.is_none()
    }

    fn step(&mut self) -> Result<Frame, End> {
        let (function, pc) = loop {
            let pc = self.registers.pc().ok_or(End::Native)?;
            match self.map.find(pc.wrapping_sub(u64::from(self.is_call))) {
                Some(function) => break (function, pc),
                None if self.pass() => {}
                None => return Err(self.end.unwrap_or(End::Native)),
            }
        };
        let registers = self.registers;
        let is_call = self.is_call;
        let mut frame = Frame { function, registers, cfa: None, pc, is_call };
        let rules = frame.function.rules.as_ref();
        match rules.and_then(|rules| rules.row(frame.address())) {
            None => self.end = Some(End::NoRules),
            Some(row) => match self.caller(row) {
                Ok(cfa) => frame.cfa = Some(cfa),
                Err(end) => self.end = Some(end),
            },
        }
        Ok(frame)
    }

    /// Goes from a frame to its caller's; gives the canonical frame address.
    fn caller(&mut self, row: &Row) -> Result<u64, End> {
        let (registers, read) = (self.registers, &mut self.read);
        let compute = |expression: &[u8], first, read: &mut R| {
            let read = std::cell::RefCell::new(read);
            let word = |address| (read.borrow_mut())(address);
            evaluate(expression, first, |register| registers.get(register), word)
        };
        let cfa = match &row.cfa {
            Cfa::Register { register, offset } => {
                registers.get(*register).map(|base| base.wrapping_add_signed(*offset))
            }
            Cfa::Expression(expression) => compute(expression, None, read),
        };
        let cfa = cfa.ok_or(End::Unreadable)?;
        // Where calls leave the return address in a register, one that was interrupted before it saved
        // anything has no frame yet.
        let is_inside = |sp| cfa < sp || (cfa == sp && self.is_call);
        if registers.sp().is_some_and(is_inside) {
            return Err(End::Backwards);
        }
        let mut caller = registers.preserved();
        caller.set(native::STACK_POINTER, cfa);
        for (register, rule) in &row.registers {
            if native::register(*register).is_none() {
                continue; // vector registers, of which no convention here preserves any more
            }
            let place = match rule {
                Rule::Saved(offset) => Some(cfa.wrapping_add_signed(*offset)),
                Rule::SavedAt(expression) => {
                    Some(compute(expression, Some(cfa), read).ok_or(End::Unreadable)?)
                }
                _ => None,
            };
            let value = match rule {
                Rule::Saved(_) | Rule::SavedAt(_) => {
                    place.and_then(&mut *read).ok_or(End::Unreadable).map(Some)?
                }
                Rule::Value(offset) => Some(cfa.wrapping_add_signed(*offset)),
                Rule::Register(other) => registers.get(*other),
                Rule::ValueOf(expression) => compute(expression, Some(cfa), read),
                Rule::Undefined => None,
            };
            match value {
                Some(value) => caller.save(*register, place.unwrap_or(0), value),
                None => caller.forget(*register),
            }
        }
        self.returned(&mut caller, row);
        (self.registers, self.is_call) = (caller, true);
        Ok(cfa)
    }
}

impl<R> Walker<'_, R> {
    /// Has a caller go on where its callee returns to. A function that has called another one has
    /// saved the return address; one that was interrupted may have it in its register still.
    fn returned(&self, caller: &mut Registers, row: &Row) {
        if native::PROGRAM_COUNTER == native::RETURN_ADDRESS {
            return;
        }
        let is_saved =
            row.registers.iter().any(|(register, _)| *register == native::RETURN_ADDRESS);
        let from = if is_saved { *caller } else { self.registers };
        if let Some(address) = from.get(native::RETURN_ADDRESS).map(host::unsigned) {
            let place = from.place(native::RETURN_ADDRESS).unwrap_or(0);
            caller.save(native::PROGRAM_COUNTER, place, address);
        }
        caller.forget(native::RETURN_ADDRESS);
    }
}

impl<R: FnMut(u64) -> Option<u64>> Iterator for Walker<'_, R> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if self.end.is_some() {
            return None;
        }
        match self.step() {
            Ok(frame) => Some(frame),
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
