//! The bench's functions as code.

use vmkit::graph::{Edge, EdgeKind};

/// The kind of a call's edge, and its addend: R_AARCH64_CALL26.
pub(crate) const CALL: (u32, i64) = (283, 0);
/// Where the patch point of [`point`] is.
pub(crate) const POINT_AT: i64 = 12;

const PUSH: u32 = 0xa9bf_7bfd; // stp x29, x30, [sp, #-16]!
const POP: u32 = 0xa8c1_7bfd; // ldp x29, x30, [sp], #16
const RET: u32 = 0xd65f_03c0;

/// `movz w, number; movk w, number >> 16, lsl 16`.
fn load(register: u32, number: u32) -> [u32; 2] {
    let part = |word: u32, part: u32| word | (part & 0xffff) << 5 | register;
    [part(0x5280_0000, number), part(0x72a0_0000, number >> 16)]
}

fn code(words: &[&[u32]]) -> Vec<u8> {
    words.concat().into_iter().flat_map(u32::to_le_bytes).collect()
}

/// `mov w0, number; ret`.
pub(crate) fn number(number: u32) -> Vec<u8> {
    code(&[&load(0, number), &[RET]])
}

/// `bl callee; add w0, w0, number`, and where the call's edge is.
pub(crate) fn plus(number: u32) -> (Vec<u8>, u64) {
    // bl callee; ...; add w0, w0, w1
    let code = code(&[&[PUSH, 0x9400_0000], &load(1, number), &[0x0b01_0000, POP, RET]]);
    (code, 4)
}

/// `fcvtzs w2, d0; add w0, w2, w1; add w0, w0, number; ret`.
pub(crate) fn sum(number: u32) -> Vec<u8> {
    code(&[&[0x1e78_0002, 0x0b01_0040], &load(1, number), &[0x0b01_0000, RET]])
}

/// `mov w0, number; nop; ret`, in a frame.
pub(crate) fn point(number: u32) -> Vec<u8> {
    code(&[&[PUSH], &load(0, number), &[0xd503_201f, POP, RET]])
}

/// `bl helper; add w0, w0, [text]; add w0, w0, [[table]]`, and its edges.
pub(crate) fn sum_of_call_and_words() -> (Vec<u8>, Vec<Edge>) {
    let code = code(&[&[
        PUSH,
        0x9400_0000, // bl helper
        0x9000_0001, // adrp x1, text
        0xb940_0021, // ldr w1, [x1, :lo12:text]
        0x0b01_0000, // add w0, w0, w1
        0x9000_0002, // adrp x2, table
        0xf940_0042, // ldr x2, [x2, :lo12:table]
        0xb940_0042, // ldr w2, [x2]
        0x0b02_0000, // add w0, w0, w2
        POP,
        RET,
    ]]);
    // R_AARCH64_CALL26, _ADR_PREL_PG_HI21, _LDST32_ABS_LO12_NC, _LDST64_ABS_LO12_NC
    let edges = [(4, 283, 1, 0), (8, 275, 2, 0), (12, 285, 2, 0), (20, 275, 3, 0), (24, 286, 3, 0)];
    (code, edges.map(edge).to_vec())
}

fn edge((offset, kind, target, addend): (u64, u32, usize, i64)) -> Edge {
    Edge { offset, kind: EdgeKind(kind), target, addend }
}
