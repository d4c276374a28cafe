//! The bench's functions as code.

use vmkit::graph::{Edge, EdgeKind};

/// The kind of a call's edge, and its addend: R_X86_64_PLT32.
pub(crate) const CALL: (u32, i64) = (4, -4);
/// Where the patch point of [`point`] is.
pub(crate) const POINT_AT: i64 = 6;

/// `mov eax, number; ret`.
pub(crate) fn number(number: u32) -> Vec<u8> {
    [&[0xb8], &number.to_le_bytes()[..], &[0xc3]].concat()
}

/// `push rbx` (keeps the stack aligned) `; call callee; add eax, number; pop rbx; ret`, and where the
/// call's edge is.
pub(crate) fn plus(number: u32) -> (Vec<u8>, u64) {
    let start = [0x53, 0xe8, 0, 0, 0, 0, 0x05];
    ([&start[..], &number.to_le_bytes(), &[0x5b, 0xc3]].concat(), 2)
}

/// `cvttsd2si eax, xmm0; add eax, esi; add eax, number; ret`.
pub(crate) fn sum(number: u32) -> Vec<u8> {
    let start = [0xf2, 0x0f, 0x2c, 0xc0, 0x01, 0xf0, 0x05];
    [&start[..], &number.to_le_bytes(), &[0xc3]].concat()
}

/// `push rbx; mov eax, number; nopl 0(%rax,%rax); pop rbx; ret`.
pub(crate) fn point(number: u32) -> Vec<u8> {
    let end = [0x0f, 0x1f, 0x44, 0x00, 0x00, 0x5b, 0xc3];
    [&[0x53, 0xb8], &number.to_le_bytes()[..], &end].concat()
}

/// `push rbx; call helper; add eax, [text]; mov rdx, [table]; add eax, [rdx]; pop rbx; ret`, and its
/// edges.
pub(crate) fn sum_of_call_and_words() -> (Vec<u8>, Vec<Edge>) {
    let code = [
        0x53, 0xe8, 0, 0, 0, 0, 0x03, 0x05, 0, 0, 0, 0, 0x48, 0x8b, 0x15, 0, 0, 0, 0, 0x03, 0x02,
        0x5b, 0xc3,
    ];
    // R_X86_64_PLT32, R_X86_64_PC32
    (code.to_vec(), [(2, 4, 1, -4), (8, 2, 2, -4), (15, 2, 3, -4)].map(edge).to_vec())
}

fn edge((offset, kind, target, addend): (u64, u32, usize, i64)) -> Edge {
    Edge { offset, kind: EdgeKind(kind), target, addend }
}
