//! Exceptions of the virtual machine's: thrown by its own walk and tables, without the system's
//! unwinder.
//!
//! One pass: the walk stops at the first landing pad that wants the exception, or that cleans up; a
//! cleanup ends by throwing on from there. Only linked code is unwound. The search ends where other
//! code called in, and the exception is the thrower's again: a virtual machine that wants it to go
//! on enters linked code through a function of its own that catches everything, and returns what it
//! caught.
#![expect(unsafe_code, reason = "goes on elsewhere, and drops frames")]

use std::sync::Arc;

use crate::code::{CodeMap, Function};
use crate::entry;
use crate::metadata::{Action, TypeInfo};
use crate::walk::{Anchor, End, Frame, Registers, Walker};

impl TypeInfo {
    /// The number that stands for the type: its own, or the word that describes it in linked data; none
    /// for any type.
    ///
    /// # Safety
    ///
    /// The code in whose tables it is has not been freed, and describes types by a word at least.
    #[must_use]
    pub unsafe fn number(self) -> Option<u64> {
        // SAFETY: the caller's promise.
        let word = |at: u64| unsafe { (at as *const u64).read() };
        match self {
            Self::Any => None,
            Self::At(at) => Some(word(at)),
            Self::InSlot(slot) => Some(word(word(slot))),
            Self::Number(number) | Self::NumberIn(number, _) => Some(number.into()),
        }
    }
}

/// Where an exception goes on.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The frame whose landing pad it is.
    pub frame: Frame,
    /// The landing pad.
    pub pad: u64,
    /// What tells the landing pad why it was entered: the number that `llvm.eh.typeid.for` gives for
    /// the type, or 0 for a cleanup.
    pub selector: i32,
}

/// Why nobody handles an exception.
#[derive(Clone, Debug)]
pub enum Unhandled {
    /// The walk ended.
    End(End),
    /// The function's tables say that nothing may unwind from where it is.
    Forbidden(Arc<Function>),
}

/// Finds the landing pad that an exception goes to, among the frames of a walk. `matches` tells
/// whether the exception is of a type, in the context that a [`TypeInfo::NumberIn`] has; types that stand
/// for any are not asked about.
///
/// # Errors
///
/// There is none before the walk ends.
pub fn find<R: FnMut(u64) -> Option<u64>>(
    walker: &mut Walker<'_, R>,
    mut matches: impl FnMut(TypeInfo, Option<u64>) -> bool,
) -> Result<Landing, Unhandled> {
    while let Some(frame) = walker.next() {
        let is_of = |type_info: &TypeInfo| match *type_info {
            TypeInfo::Any => Ok(true),
            TypeInfo::NumberIn(_, place) => {
                let context = walker.value(&frame, place).ok_or(End::Unreadable)?;
                Ok(matches(*type_info, Some(context)))
            }
            _ => Ok(matches(*type_info, None)),
        };
        if let Some((pad, selector)) = wanted(&frame, is_of)? {
            return Ok(Landing { frame, pad, selector });
        }
    }
    Err(Unhandled::End(walker.end().unwrap_or(End::Native)))
}

/// The landing pad in a frame that wants an exception, and its selector.
fn wanted(
    frame: &Frame,
    mut is_of: impl FnMut(&TypeInfo) -> Result<bool, End>,
) -> Result<Option<(u64, i32)>, Unhandled> {
    let Some(table) = &frame.function.call_sites else { return Ok(None) };
    let Some(site) = table.at(frame.address()) else {
        return Err(Unhandled::Forbidden(frame.function.clone()));
    };
    for (pad, action) in table.handlers(site) {
        let selector = match action {
            Action::Cleanup => Some(0),
            Action::Catch { selector, type_info } => is_of(type_info)?.then_some(*selector),
            Action::Filter { selector, types } => {
                let mut passes = false;
                for type_info in types.iter() {
                    passes = passes || is_of(type_info)?;
                }
                (!passes).then_some(*selector)
            }
        };
        if let Some(selector) = selector {
            return Ok(Some((pad, selector)));
        }
    }
    Ok(None)
}

impl From<End> for Unhandled {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

/// Throws an exception from where linked code called the virtual machine, through the entry that
/// made `anchor`; comes back only if no frame of linked code handles it. `matches` is as for [`find`]. A
/// landing pad is given
/// `exception` and the selector. To throw on from a cleanup, call an entry from there and throw
/// again.
///
/// # Safety
///
/// The anchor is one of this thread's, made by an entry that has not returned. The frames between
/// there and here hold nothing that must be dropped, and no other code relies on their return.
pub unsafe fn throw(
    map: &CodeMap,
    anchor: &Anchor,
    exception: u64,
    matches: impl FnMut(TypeInfo, Option<u64>) -> bool,
) -> Unhandled {
    // SAFETY: the walk reads frames of this thread that wait for the anchor's entry to return.
    let read = |at: u64| Some(unsafe { (at as *const u64).read() });
    let landing = {
        let at = std::ptr::from_ref(anchor) as u64;
        let Some((registers, _)) = Registers::at_anchor(at, read) else {
            return Unhandled::End(End::Unreadable);
        };
        // Not through the anchors before it: what is in between is not ours to drop.
        match find(&mut Walker::new(map, registers, read), matches) {
            Err(unhandled) => return unhandled,
            Ok(Landing { frame, pad, selector }) => {
                let row =
                    frame.function.rules.as_ref().and_then(|rules| rules.row(frame.address()));
                let arguments = row.map_or(0, |row| row.arguments);
                let sp = frame.registers.sp().unwrap_or(0) + arguments;
                let selector = i64::from(selector).cast_unsigned();
                entry::Landing::new(&frame.registers, sp, pad, [exception, selector])
            }
        }
    };
    // SAFETY: the rules of the function that has the landing pad say that it goes on like this; the
    // caller's promise for the frames within. Nothing of ours is left to drop.
    unsafe { landing.go() }
}
