//! AArch64: edges, our stubs, and what else is known of its code.

pub mod dispatch;
mod rows;

use self::rows::{ADRP, LOW64, MOVE0, MOVE1};
pub use self::rows::{CALL_FIELD, ROWS, TABLE_ENTRIES, THREAD_DISTANCE, pointer};
use super::{Base, Isa, Relaxed};

/// Code for AArch64.
pub const ISA: Isa = Isa {
    name: "aarch64",
    machine: 183, // EM_AARCH64
    rows: ROWS,
    // R_AARCH64_ADR_GOT_PAGE, R_AARCH64_LD64_GOT_LO12_NC
    slot_pair: Some([311, 312]),
    relax,
    thunk_size: THUNK_SIZE,
    thunk: |bytes, target| bytes.copy_from_slice(&thunk(target)),
    unwind_section: None,
    large_common: None,
    counted_from: 0,
    mapping_symbols: &["$x", "$d"], // psABI, "Mapping symbols"
};

/// R_AARCH64_ADR_PREL_PG_HI21 and R_AARCH64_ADD_ABS_LO12_NC in place of a load from a slot.
const RELATIVE: &[Relaxed] =
    &[Relaxed { number: 275, shift: 0 }, Relaxed { number: 277, shift: 4 }];

/// Rewrites the two instructions at `offset` so that they need no slot (psABI, "Relocation
/// optimization"): `adrp r, page; ldr r, [r, slot]` becomes `adrp r, page; add r, r, low`.
pub fn relax(code: &mut [u8], offset: u64) -> &'static [Relaxed] {
    relax_at(code, offset).unwrap_or_default()
}

fn relax_at(code: &mut [u8], offset: u64) -> Option<&'static [Relaxed]> {
    let page = word_at(code, offset)?;
    let load = word_at(code, offset.checked_add(4)?)?;
    let register = page & 0x1f;
    // adrp r; ldr r, [r]: where the registers differ, the page may be needed again.
    let is_pair = page & 0x9f00_0000 == 0x9000_0000 && load & 0xffc0_0000 == 0xf940_0000;
    if !is_pair || load & 0x3ff != register << 5 | register {
        return None;
    }
    let add = 0x9100_0000 | register << 5 | register; // add r, r, #0
    let at = offset as usize + 4;
    code[at..at + 4].copy_from_slice(&add.to_le_bytes());
    Some(RELATIVE)
}

/// The instruction at an offset.
fn word_at(code: &[u8], offset: u64) -> Option<u32> {
    let at = usize::try_from(offset).ok()?;
    let word = code.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}

/// Whether the instruction at `offset` is a call, which returns behind it, and not a jump: `bl`.
#[must_use]
pub fn is_call(code: &[u8], offset: u64) -> bool {
    word_at(code, offset).is_some_and(|word| word & 0xfc00_0000 == BL)
}

/// What the edge of a call to a symbol's very start adds.
pub const CALL_ADDEND: i64 = 0;
/// Bytes from the place of a call's edge to where the call returns.
pub const CALL_END: u64 = 4;
/// How far calls and jumps reach, in bytes, less room for addends.
pub const CALL_REACH: u64 = (1 << 27) - (1 << 16);
/// How far code can name data by a page, less room for addends.
pub const DATA_REACH: u64 = (1 << 32) - (1 << 20);

/// Where a call or jump goes, by the four bytes at the place of its edge.
#[must_use]
pub fn call_target(place: u64, word: u32) -> u64 {
    // The sign of the 26 bits, and words made bytes.
    place.wrapping_add_signed(((word << 6).cast_signed() >> 4).into())
}

/// Those four bytes of a call or jump to `target`; `None` out of reach.
#[must_use]
pub fn redirected(place: u64, word: u32, target: u64) -> Option<u32> {
    let distance = target.wrapping_sub(place).cast_signed();
    let is_near = (-(1 << 27)..1 << 27).contains(&distance) && distance % 4 == 0;
    is_near.then(|| CALL_FIELD.put(word.into(), distance.into()) as u32)
}

/// Registers that a walk follows: `x0` to `x30`, `sp`, the low halves of `v8` to `v15`, and `pc`.
pub const REGISTERS: usize = 41;
/// `sp`, by its DWARF number (DWARF for AArch64, section 4.1).
pub const STACK_POINTER: u16 = 31;
/// `x29`.
pub const FRAME_POINTER: u16 = 29;
/// The return address: `x30`.
pub const RETURN_ADDRESS: u16 = 30;
/// Where the code is: in a caller, what the return address was.
pub const PROGRAM_COUNTER: u16 = 32;
/// Registers that calls preserve: `x19` to `x29`, `d8` to `d15`.
pub const PRESERVED: [u16; 19] =
    [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 72, 73, 74, 75, 76, 77, 78, 79];
/// The same, in the order in which they lie in an anchor.
pub const ANCHORED: [u16; PRESERVED.len()] =
    [72, 73, 74, 75, 76, 77, 78, 79, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
/// The registers of a landing pad's arguments, exception and selector: `x0`, `x1`.
pub const LANDING: [u16; 2] = [0, 1];

/// The place of a register among those that a walk follows, by its DWARF number.
#[must_use]
pub fn register(number: u16) -> Option<usize> {
    match number {
        0..=32 => Some(number.into()),
        72..=79 => Some(usize::from(number) - 72 + 33),
        _ => None,
    }
}

/// Bytes of one stub, lazy part included.
pub const STUB_SIZE: u64 = 24;
/// What a stub's address is a multiple of.
pub const STUB_ALIGN: u64 = 8;
/// Bytes from a stub's start to its lazy part, the slot's first value.
pub const STUB_LAZY: u64 = 12;
/// Bytes of a thunk to an address out of reach.
pub const THUNK_SIZE: u64 = 16;

const B: u32 = 0x1400_0000;
const BL: u32 = 0x9400_0000;

/// The stub at address `stub`: a jump through `slot`, then the lazy part, which puts `symbol` into
/// `x16` and jumps to `first_call`. `None` where slot or `first_call` lie out of reach. `x16` and `x17`
/// are what any call may change (AAPCS64, 6.1.1).
#[must_use]
pub fn stub(
    stub: u64,
    slot: u64,
    symbol: u32,
    first_call: u64,
) -> Option<[u8; STUB_SIZE as usize]> {
    let [low, high] = number(symbol);
    Some(code([
        adrp_x16(stub, slot)?,                      // adrp x16, slot
        LOW64.put(0xf940_0211, slot.into()) as u32, // ldr x17, [x16, :lo12:slot]
        0xd61f_0220,                                // br x17
        low,                                        // movz w16, #symbol
        high,                                       // movk w16, #symbol >> 16, lsl #16
        redirected(stub + 20, B, first_call)?,      // b first_call
    ]))
}

/// `adrp x16, to`, at `from`.
fn adrp_x16(from: u64, to: u64) -> Option<u32> {
    let pages = Base::Page.value(to.into(), from, 0);
    (-(1 << 32)..1 << 32).contains(&pages).then(|| ADRP.put(0x9000_0010, pages) as u32)
}

/// A number into `w16`.
pub(super) fn number(number: u32) -> [u32; 2] {
    let value = i128::from(number);
    [MOVE0.put(0x5280_0010, value) as u32, MOVE1.put(0x72a0_0010, value) as u32]
}

/// The bytes of instructions.
fn code<const WORDS: usize, const BYTES: usize>(words: [u32; WORDS]) -> [u8; BYTES] {
    const { assert!(4 * WORDS == BYTES, "as many bytes as the instructions have") };
    let mut bytes = [0; BYTES];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// A jump to any address: it is read from behind the jump.
#[must_use]
pub fn thunk(target: u64) -> [u8; THUNK_SIZE as usize] {
    code([
        0x5800_0050,   // ldr x16, 8(start)
        0xd61f_0200,   // br x16
        target as u32, // the address
        (target >> 32) as u32,
    ])
}

/// The session's way into `first_call`: puts the number on the stack and the session's address into
/// `x16`, and jumps on.
#[must_use]
pub fn first_call_trampoline(session: u64, entry: u64) -> [u8; 32] {
    code([
        0xf81f_0ff0, // str x16, [sp, #-16]!
        0x5800_0070, // ldr x16, 16(start)
        0x5800_0091, // ldr x17, 24(start)
        0xd61f_0220, // br x17
        session as u32,
        (session >> 32) as u32,
        entry as u32,
        (entry >> 32) as u32,
    ])
}

/// Bytes of an [`interposer`].
pub const INTERPOSER_SIZE: u64 = 40;

/// At address `at`: goes to `original` if the thread's byte at `flag` from the thread pointer is
/// set, else to `replacement`, which must be near.
#[must_use]
pub fn interposer(
    at: u64,
    flag: i32,
    original: u64,
    replacement: u64,
) -> Option<[u8; INTERPOSER_SIZE as usize]> {
    let mut bytes = [0; INTERPOSER_SIZE as usize];
    let [low, high] = number(flag.cast_unsigned());
    bytes[..24].copy_from_slice(&code::<6, 24>([
        low,                                  // movz w16, #flag
        high,                                 // movk w16, #flag >> 16, lsl #16
        0xd53b_d051,                          // mrs x17, tpidr_el0
        0x3870_ca30,                          // ldrb w16, [x17, w16, sxtw]
        0x3500_0050,                          // cbnz w16, to the thunk
        redirected(at + 20, B, replacement)?, // b replacement
    ]));
    bytes[24..].copy_from_slice(&thunk(original));
    Some(bytes)
}

/// Bytes of a cache line, within which a store is seen at once or not at all.
pub const LINE: u64 = 64;

/// Whether the four bytes at `address` can be replaced by one store while others run them: every
/// instruction can, for a `b` or `bl` may become another one (Arm ARM, B2.2.5).
#[must_use]
pub fn is_patchable(address: u64) -> bool {
    address.is_multiple_of(4)
}

/// What freed code is filled with: `brk #0`.
pub const POISON: [u8; 4] = 0xd420_0000u32.to_le_bytes();

/// Bytes of a place that can hold a call or nothing.
pub const POINT_SIZE: u64 = 4;
const NOP: u32 = 0xd503_201f; // nop

/// What a place at `at` holds that calls `target`, or does nothing; `None` out of reach.
#[must_use]
pub fn point(at: u64, target: Option<u64>) -> Option<[u8; POINT_SIZE as usize]> {
    let Some(target) = target else { return Some(NOP.to_le_bytes()) };
    Some(redirected(at, BL, target)?.to_le_bytes())
}

/// Where the eight bytes begin that hold such a place, and can be replaced by one store; `None` if
/// there are none.
#[must_use]
pub fn point_word(at: u64) -> Option<u64> {
    at.is_multiple_of(4).then_some(at & !7)
}

/// Can these bytes be such a place's?
#[must_use]
pub fn is_point(bytes: [u8; POINT_SIZE as usize]) -> bool {
    let word = u32::from_le_bytes(bytes);
    word == NOP || word & 0xfc00_0000 == BL
}

#[cfg(test)]
mod tests;
