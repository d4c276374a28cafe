//! What the virtual machine is to know of places in compiled code: references, traps, handlers, tags.

use cranelift_codegen::ir::DebugTag;
use cranelift_codegen::{CompiledCode, MachBufferDebugTagList, MachDebugTagPos};
use vmkit::graph::{Note, Noted};
use vmkit::metadata::{Location, Place, Record, Tag};

use crate::handlers::{self, Row};
use crate::machine::Machine;

/// The notes on a function's code, and the table of its [handlers] if it has any.
pub(crate) fn notes(code: &CompiledCode, machine: &Machine) -> (Vec<Note>, Option<Vec<u8>>) {
    let buffer = &code.buffer;
    let note = |offset: u32, what| Note { section: 0, offset: u64::from(offset), what };
    let traps = buffer.traps().iter();
    let traps = traps.map(|trap| note(trap.offset, Noted::Trap(trap.code.as_raw().get().into())));
    let mut notes: Vec<_> = traps.collect();
    for (offset, _, map) in buffer.user_stack_maps() {
        let places = map.entries().map(|(ty, offset)| (ty.bytes(), offset));
        notes.push(note(*offset, Noted::Record(record(machine, places))));
    }
    let rows: Vec<_> =
        buffer.call_sites().flat_map(|site| handlers::rows(&site, machine)).collect();
    notes.extend(rows.iter().map(|row| note(row.returns_to, handler(row, machine))));
    for list in buffer.debug_tags() {
        let is_call = list.pos == MachDebugTagPos::Post;
        notes.push(note(list.offset, Noted::Tags { is_call, tags: tags(code, machine, &list) }));
    }
    (notes, handlers::table(&rows))
}

fn handler(row: &Row, machine: &Machine) -> Noted {
    let context = row.context().map(|context| context.place(machine));
    Noted::Handler { pad: row.pad.into(), number: row.number(), context }
}

fn tags(code: &CompiledCode, machine: &Machine, list: &MachBufferDebugTagList<'_>) -> Vec<Tag> {
    let layout = code.buffer.frame_layout();
    let tag = |tag: &DebugTag| match *tag {
        DebugTag::User(number) => Some(Tag::Number(number)),
        DebugTag::StackSlot(slot) => {
            let found = &layout?.stackslots[slot];
            let register = machine.stack_pointer;
            let place = Place::Address { register, offset: found.offset.cast_signed() };
            Some(Tag::Slot { key: found.key.map(|key| key.bits()), place })
        }
    };
    list.tags.iter().filter_map(tag).collect()
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
