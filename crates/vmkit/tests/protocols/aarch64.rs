//! The bench's functions as code.

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
