//! Edges by the numbers of the System V psABI (version 1.0, table 4.9).

use crate::target::{Base, Field, Row, Term};

const U32: (i128, i128) = (0, u32::MAX as i128);
const I32: (i128, i128) = (i32::MIN as i128, i32::MAX as i128);
const ANY64: (i128, i128) = (i64::MIN as i128, u64::MAX as i128);
const ANY16: (i128, i128) = (i16::MIN as i128, u16::MAX as i128);
const ANY8: (i128, i128) = (i8::MIN as i128, u8::MAX as i128);
const I16: (i128, i128) = (i16::MIN as i128, i16::MAX as i128);
const I8: (i128, i128) = (i8::MIN as i128, i8::MAX as i128);

/// What a call or jump has: a displacement.
pub const CALL_FIELD: Field = Field::bytes(4);

const fn row(
    number: u32,
    name: &'static str,
    (term, base): (Term, Base),
    size: u8,
    (low, high): (i128, i128),
) -> Row {
    Row { number, name, term, base, field: Field::bytes(size), low, high }
}

const NONE: (Term, Base) = (Term::None, Base::Zero);
const ABSOLUTE: (Term, Base) = (Term::Address, Base::Zero);
const RELATIVE: (Term, Base) = (Term::Address, Base::Place);
const CALL: (Term, Base) = (Term::Call, Base::Place);
const SLOT: (Term, Base) = (Term::Slot, Base::Place);
const SLOT_LOAD: (Term, Base) = (Term::SlotLoad, Base::Place);
const SLOT_OFFSET: (Term, Base) = (Term::Slot, Base::Slots);
const FROM_SLOTS: (Term, Base) = (Term::Address, Base::Slots);
const SLOTS: (Term, Base) = (Term::Slots, Base::Place);
const THREAD_PAIR: (Term, Base) = (Term::ThreadPair, Base::Place);
const THREAD_MODULE: (Term, Base) = (Term::ThreadModule, Base::Place);
const THREAD_DESCRIPTOR: (Term, Base) = (Term::ThreadDescriptor, Base::Place);
const THREAD_OFFSET: (Term, Base) = (Term::ThreadOffset, Base::Zero);
const STATIC_OFFSET: (Term, Base) = (Term::StaticThreadOffset, Base::Zero);
const STATIC_SLOT: (Term, Base) = (Term::StaticThreadSlot, Base::Place);
const SIZE: (Term, Base) = (Term::Size, Base::Zero);

/// Every edge kind this target knows, in the order of their numbers.
pub const ROWS: &[Row] = &[
    row(0, "R_X86_64_NONE", NONE, 0, ANY64),
    row(1, "R_X86_64_64", ABSOLUTE, 8, ANY64),
    row(2, "R_X86_64_PC32", RELATIVE, 4, I32),
    row(3, "R_X86_64_GOT32", SLOT_OFFSET, 4, U32),
    row(4, "R_X86_64_PLT32", CALL, 4, I32),
    row(9, "R_X86_64_GOTPCREL", SLOT, 4, I32),
    row(10, "R_X86_64_32", ABSOLUTE, 4, U32),
    row(11, "R_X86_64_32S", ABSOLUTE, 4, I32),
    row(12, "R_X86_64_16", ABSOLUTE, 2, ANY16),
    row(13, "R_X86_64_PC16", RELATIVE, 2, I16),
    row(14, "R_X86_64_8", ABSOLUTE, 1, ANY8),
    row(15, "R_X86_64_PC8", RELATIVE, 1, I8),
    row(17, "R_X86_64_DTPOFF64", THREAD_OFFSET, 8, ANY64),
    row(18, "R_X86_64_TPOFF64", STATIC_OFFSET, 8, ANY64),
    row(19, "R_X86_64_TLSGD", THREAD_PAIR, 4, I32),
    row(20, "R_X86_64_TLSLD", THREAD_MODULE, 4, I32),
    row(21, "R_X86_64_DTPOFF32", THREAD_OFFSET, 4, I32),
    row(22, "R_X86_64_GOTTPOFF", STATIC_SLOT, 4, I32),
    row(23, "R_X86_64_TPOFF32", STATIC_OFFSET, 4, I32),
    row(24, "R_X86_64_PC64", RELATIVE, 8, ANY64),
    row(25, "R_X86_64_GOTOFF64", FROM_SLOTS, 8, ANY64),
    row(26, "R_X86_64_GOTPC32", SLOTS, 4, I32),
    row(27, "R_X86_64_GOT64", SLOT_OFFSET, 8, ANY64),
    row(28, "R_X86_64_GOTPCREL64", SLOT, 8, ANY64),
    row(29, "R_X86_64_GOTPC64", SLOTS, 8, ANY64),
    row(31, "R_X86_64_PLTOFF64", FROM_SLOTS, 8, ANY64),
    row(32, "R_X86_64_SIZE32", SIZE, 4, U32),
    row(33, "R_X86_64_SIZE64", SIZE, 8, ANY64),
    row(34, "R_X86_64_GOTPC32_TLSDESC", THREAD_DESCRIPTOR, 4, I32),
    row(35, "R_X86_64_TLSDESC_CALL", NONE, 0, ANY64),
    row(41, "R_X86_64_GOTPCRELX", SLOT_LOAD, 4, I32),
    row(42, "R_X86_64_REX_GOTPCRELX", SLOT_LOAD, 4, I32),
];

/// The edge of a pointer of `size` bytes in data, to the symbol or, if it `is_relative`, from the
/// pointer to it; none where there is no such relocation.
#[must_use]
pub const fn pointer(size: u64, is_relative: bool) -> Option<u32> {
    Some(match (size, is_relative) {
        (8, false) => 1,
        (4, false) => 10,
        (2, false) => 12,
        (1, false) => 14,
        (8, true) => 24,
        (4, true) => 2,
        (2, true) => 13,
        (1, true) => 15,
        _ => return None,
    })
}

/// The relocations by which a library's tables are filled with addresses of functions and data.
pub const TABLE_ENTRIES: [u32; 2] = [R_JUMP_SLOT, R_GLOB_DAT];
const R_GLOB_DAT: u32 = 6;
const R_JUMP_SLOT: u32 = 7;
/// The relocation of a word of a library that is to hold the distance of its thread-local variables from
/// the thread pointer.
pub const THREAD_DISTANCE: u32 = 18;
