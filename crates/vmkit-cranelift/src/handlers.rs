//! Where calls go on that throw: what Cranelift says of it, for the virtual machine and for the
//! [personality routine](crate::personality).

use cranelift_codegen::{
    ExceptionContextLoc, FinalizedMachCallSite, FinalizedMachExceptionHandler,
};
use vmkit::metadata::Place;

use crate::machine::Machine;

/// A handler, as the personality routine finds it in the table of its function; the table ends with a
/// row of zeros. Offsets are from the function's start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub(crate) struct Row {
    /// Where the call returns to.
    pub(crate) returns_to: u32,
    /// Where to go on.
    pub(crate) pad: u32,
    /// The number of its tag plus one, or 0 for any exception.
    wanted: u32,
    /// What kind of place has its tag's context.
    kind: u32,
    /// Which place: bytes from the stack pointer, or the number of a register.
    place: u32,
}

const NOWHERE: u32 = 0;
const ON_STACK: u32 = 1;
const IN_REGISTER: u32 = 2;

/// Where a handler's context is at the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    /// So many bytes from the stack pointer.
    OnStack(u32),
    /// In the register with this number of DWARF's.
    InRegister(u16),
}

impl Row {
    fn new(returns_to: u32, pad: u32, number: Option<u32>, context: Option<Context>) -> Self {
        let (kind, place) = match context.filter(|_| number.is_some()) {
            None => (NOWHERE, 0),
            Some(Context::OnStack(offset)) => (ON_STACK, offset),
            Some(Context::InRegister(register)) => (IN_REGISTER, register.into()),
        };
        Self { returns_to, pad, wanted: number.map_or(0, |number| number + 1), kind, place }
    }

    /// Is it the one behind the last?
    pub(crate) fn is_end(&self) -> bool {
        self.returns_to == 0
    }

    /// The number of its tag; none if it takes any exception.
    pub(crate) fn number(&self) -> Option<u32> {
        self.wanted.checked_sub(1)
    }

    pub(crate) fn context(&self) -> Option<Context> {
        match self.kind {
            ON_STACK => Some(Context::OnStack(self.place)),
            IN_REGISTER => Some(Context::InRegister(self.place as u16)),
            _ => None,
        }
    }

    fn words(&self) -> [u32; 5] {
        [self.returns_to, self.pad, self.wanted, self.kind, self.place]
    }
}

impl Context {
    pub(crate) fn place(self, machine: &Machine) -> Place {
        match self {
            Self::OnStack(offset) => {
                let register = machine.stack_pointer;
                Place::Memory { register, offset: offset.cast_signed() }
            }
            Self::InRegister(register) => Place::Register(register),
        }
    }
}

/// The handlers of a call, in their order: a context is that of the tags after it, up to the next one.
pub(crate) fn rows(site: &FinalizedMachCallSite<'_>, machine: &Machine) -> Vec<Row> {
    let mut context = None;
    let row = |handler: &FinalizedMachExceptionHandler| match *handler {
        FinalizedMachExceptionHandler::Tag(tag, pad) => {
            Some(Row::new(site.ret_addr, pad, Some(tag.as_u32()), context))
        }
        FinalizedMachExceptionHandler::Default(pad) => {
            Some(Row::new(site.ret_addr, pad, None, None))
        }
        FinalizedMachExceptionHandler::Context(place) => {
            context = Some(match place {
                ExceptionContextLoc::SPOffset(offset) => Context::OnStack(offset),
                ExceptionContextLoc::GPR(register) => {
                    Context::InRegister(machine.general[usize::from(register)])
                }
            });
            None
        }
    };
    site.exception_handlers.iter().filter_map(row).collect()
}

/// The table of these rows, as bytes; none if there are none.
pub(crate) fn table(rows: &[Row]) -> Option<Vec<u8>> {
    if rows.is_empty() {
        return None;
    }
    let words = rows.iter().flat_map(Row::words).chain([0; 5]);
    Some(words.flat_map(u32::to_ne_bytes).collect())
}
