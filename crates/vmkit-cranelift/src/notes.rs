//! What the virtual machine is to know of places in compiled code: references, traps, handlers.

use cranelift_codegen::{CompiledCode, FinalizedMachCallSite, FinalizedMachExceptionHandler};
use vmkit::graph::{Note, Noted};
use vmkit::metadata::{Location, Place, Record};

use crate::machine::Machine;

/// The notes on a function's code, and the table of its handlers if it has any: for each, where the
/// call returns to, where to go on, and the number of its tag plus one, or 0 for any exception; each
/// of four bytes, from the function's start. Ends with a
/// row of zeros.
pub(crate) fn notes(
    code: &CompiledCode,
    machine: &Machine,
) -> Result<(Vec<Note>, Option<Vec<u8>>), String> {
    let buffer = &code.buffer;
    let note = |offset: u32, what| Note { section: 0, offset: u64::from(offset), what };
    let traps = buffer.traps().iter();
    let traps = traps.map(|trap| note(trap.offset, Noted::Trap(trap.code.as_raw().get().into())));
    let mut notes: Vec<_> = traps.collect();
    for (offset, _, map) in buffer.user_stack_maps() {
        let places = map.entries().map(|(ty, offset)| (ty.bytes(), offset));
        notes.push(note(*offset, Noted::Record(record(machine, places))));
    }
    let mut table = Vec::new();
    for site in buffer.call_sites() {
        for (pad, number) in handlers(&site)? {
            notes.push(note(site.ret_addr, Noted::Handler { pad: u64::from(pad), number }));
            let number = number.map_or(0, |number| number + 1);
            table.extend([site.ret_addr, pad, number].iter().flat_map(|word| word.to_le_bytes()));
        }
    }
    if table.is_empty() {
        return Ok((notes, None));
    }
    table.extend([0; 12]);
    Ok((notes, Some(table)))
}

/// The handlers of a call, in their order.
fn handlers(site: &FinalizedMachCallSite<'_>) -> Result<Vec<(u32, Option<u32>)>, String> {
    let handlers = site.exception_handlers.iter().map(|handler| match *handler {
        FinalizedMachExceptionHandler::Tag(tag, pad) => Ok((pad, Some(tag.as_u32()))),
        FinalizedMachExceptionHandler::Default(pad) => Ok((pad, None)),
        FinalizedMachExceptionHandler::Context(_) => {
            Err("exception tables with contexts are not supported".to_owned())
        }
    });
    handlers.collect()
}

/// References in the frame, in the order of a statepoint's locations: no convention, flags or deopt
/// values; each its own base.
fn record(machine: &Machine, references: impl Iterator<Item = (u32, u32)>) -> Record {
    let head = [0; 3].map(|value| Location { place: Place::Constant(value), size: 8 });
    let mut locations = head.to_vec();
    for (size, offset) in references {
        let register = machine.stack_pointer;
        let place = Place::Memory { register, offset: offset.cast_signed() };
        locations.extend([Location { place, size: size as u16 }; 2]);
    }
    Record { function: 0, id: 0, offset: 0, locations, live_outs: Vec::new() }
}
