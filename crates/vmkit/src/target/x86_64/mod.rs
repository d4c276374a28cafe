//! x86-64: edges, our stubs, and what else is known of its code.

pub mod dispatch;
mod rows;

pub use self::rows::{CALL_FIELD, ROWS, TABLE_ENTRIES, THREAD_DISTANCE, pointer};
use super::{Isa, Relaxed};

/// Code for x86-64.
pub const ISA: Isa = Isa {
    name: "x86_64",
    machine: 62, // EM_X86_64
    rows: ROWS,
    slot_pair: None,
    relax,
    thunk_size: THUNK_SIZE,
    thunk: |bytes, target| bytes.copy_from_slice(&thunk(target)),
    unwind_section: Some(0x7000_0001), // SHT_X86_64_UNWIND
    large_common: Some(0xff02),        // SHN_X86_64_LCOMMON (psABI, 4.2)
    counted_from: 4,                   // the end of the instruction
    mapping_symbols: &[],
};

/// R_X86_64_PC32 in place of a load from a slot.
const NEAR_LOAD: &[Relaxed] = &[Relaxed { number: 2, shift: 0 }];
/// R_X86_64_PLT32 in place of a call through a slot.
const NEAR_CALL: &[Relaxed] = &[Relaxed { number: 4, shift: 0 }];
/// R_X86_64_PLT32 in place of a jump through a slot, which is a byte longer.
const NEAR_JUMP: &[Relaxed] = &[Relaxed { number: 4, shift: -1 }];

/// Rewrites the instruction around the displacement at `offset` so that it needs no slot
/// (psABI B.2): `mov slot, r` becomes `lea`, calls and jumps through the slot become direct.
pub fn relax(code: &mut [u8], offset: u64) -> &'static [Relaxed] {
    relax_at(code, offset).unwrap_or_default()
}

fn relax_at(code: &mut [u8], offset: u64) -> Option<&'static [Relaxed]> {
    let at = usize::try_from(offset).ok()?;
    let opcode = code.get_mut(at.checked_sub(2)?..at.checked_add(4)?)?;
    match (opcode[0], opcode[1]) {
        // mov disp(%rip), r  ->  lea disp(%rip), r
        (0x8b, modrm) if modrm & 0xc7 == 0x05 => {
            opcode[0] = 0x8d;
            Some(NEAR_LOAD)
        }
        // call *disp(%rip)  ->  addr32 call
        (0xff, 0x15) => {
            opcode[..2].copy_from_slice(&[0x67, 0xe8]);
            Some(NEAR_CALL)
        }
        // jmp *disp(%rip)  ->  jmp; nop
        (0xff, 0x25) => {
            opcode[0] = 0xe9;
            opcode[5] = 0x90;
            Some(NEAR_JUMP)
        }
        _ => None,
    }
}

/// Whether the displacement at `offset` is that of a call, which returns behind it, and not of a
/// jump: `call disp` or `call *disp(%rip)`.
#[must_use]
pub fn is_call(code: &[u8], offset: u64) -> bool {
    let before = usize::try_from(offset).ok().and_then(|at| code.get(at.checked_sub(2)?..at));
    before.is_some_and(|before| before[1] == 0xe8 || before == [0xff, 0x15])
}

/// What the edge of a call to a symbol's very start adds: displacements count from their end.
pub const CALL_ADDEND: i64 = -4;
/// Bytes from the place of a call's edge to where the call returns.
pub const CALL_END: u64 = 4;
/// How far calls and jumps reach, in bytes, less room for addends.
pub const CALL_REACH: u64 = (1 << 31) - (1 << 20);
/// How far code can name data by a displacement, less room for addends.
pub const DATA_REACH: u64 = (1 << 31) - (1 << 20);

/// Where a call or jump goes, by the four bytes at the place of its edge.
#[must_use]
pub fn call_target(place: u64, word: u32) -> u64 {
    place.wrapping_add(4).wrapping_add_signed(word.cast_signed().into())
}

/// Those four bytes of a call or jump to `target`; `None` out of reach.
#[must_use]
pub fn redirected(place: u64, _: u32, target: u64) -> Option<u32> {
    displacement(place + 4, target).map(i32::cast_unsigned)
}

/// Registers that a walk follows, by their DWARF numbers (psABI, figure 3.36): the general ones, then
/// the return address.
pub const REGISTERS: usize = 17;
/// `rsp`.
pub const STACK_POINTER: u16 = 7;
/// `rbp`.
pub const FRAME_POINTER: u16 = 6;
/// The return address.
pub const RETURN_ADDRESS: u16 = 16;
/// Where the code is: in a caller, what the return address was.
pub const PROGRAM_COUNTER: u16 = RETURN_ADDRESS;
/// Registers that calls preserve: `rbx`, `rbp`, `r12` to `r15`.
pub const PRESERVED: [u16; 6] = [3, 6, 12, 13, 14, 15];
/// The same, in the order in which they lie in an anchor.
pub const ANCHORED: [u16; PRESERVED.len()] = [15, 14, 13, 12, 3, 6];
/// The registers of a landing pad's arguments, exception and selector: `rax`, `rdx`.
pub const LANDING: [u16; 2] = [0, 1];

/// The place of a register among those that a walk follows, by its DWARF number.
#[must_use]
pub fn register(number: u16) -> Option<usize> {
    Some(usize::from(number)).filter(|&index| index < REGISTERS)
}

/// Bytes of one stub, lazy part included.
pub const STUB_SIZE: u64 = 16;
/// What a stub's address is a multiple of.
pub const STUB_ALIGN: u64 = 16;
/// Bytes from a stub's start to its lazy part, the slot's first value.
pub const STUB_LAZY: u64 = 6;
/// Bytes of a thunk to an address out of reach.
pub const THUNK_SIZE: u64 = 14;

/// The stub at address `stub`: a jump through `slot`, then the lazy part, which pushes `symbol`
/// and jumps to `first_call`. `None` where slot or `first_call` lie out of reach.
#[must_use]
pub fn stub(
    stub: u64,
    slot: u64,
    symbol: u32,
    first_call: u64,
) -> Option<[u8; STUB_SIZE as usize]> {
    let slot = displacement(stub + 6, slot)?.to_le_bytes();
    let entry = displacement(stub + 16, first_call)?.to_le_bytes();
    let number = symbol.to_le_bytes();
    let mut bytes = [0; STUB_SIZE as usize];
    bytes[0..2].copy_from_slice(&[0xff, 0x25]); // jmp *slot(%rip)
    bytes[2..6].copy_from_slice(&slot);
    bytes[6] = 0x68; // push $symbol
    bytes[7..11].copy_from_slice(&number);
    bytes[11] = 0xe9; // jmp first_call
    bytes[12..16].copy_from_slice(&entry);
    Some(bytes)
}

/// A jump to any address: `jmp *0(%rip)` and the address.
#[must_use]
pub fn thunk(target: u64) -> [u8; THUNK_SIZE as usize] {
    let mut bytes = [0; THUNK_SIZE as usize];
    bytes[..6].copy_from_slice(&[0xff, 0x25, 0, 0, 0, 0]);
    bytes[6..].copy_from_slice(&target.to_le_bytes());
    bytes
}

/// The session's way into `first_call`: pushes the session's address and jumps on, both read from
/// memory, since no register is free at a call.
#[must_use]
pub fn first_call_trampoline(session: u64, entry: u64) -> [u8; 32] {
    let mut bytes = [0xcc; 32];
    bytes[0..6].copy_from_slice(&[0xff, 0x35, 10, 0, 0, 0]); // push 16(start)
    bytes[6..12].copy_from_slice(&[0xff, 0x25, 12, 0, 0, 0]); // jmp *24(start)
    bytes[16..24].copy_from_slice(&session.to_le_bytes());
    bytes[24..32].copy_from_slice(&entry.to_le_bytes());
    bytes
}

/// Bytes of an [`interposer`].
pub const INTERPOSER_SIZE: u64 = 32;

/// At address `at`: goes to `original` if the thread's byte at `flag` from the thread pointer is
/// set, else to `replacement`, which must be near.
#[must_use]
pub fn interposer(at: u64, flag: i32, original: u64, replacement: u64) -> Option<[u8; 32]> {
    let mut bytes = [0xcc; INTERPOSER_SIZE as usize];
    bytes[0..4].copy_from_slice(&[0x64, 0x80, 0x3c, 0x25]); // cmpb $0, %fs:flag
    bytes[4..8].copy_from_slice(&flag.to_le_bytes());
    bytes[8] = 0;
    bytes[9..11].copy_from_slice(&[0x75, 0x05]); // jne to the thunk
    bytes[11] = 0xe9; // jmp replacement
    bytes[12..16].copy_from_slice(&displacement(at + 16, replacement)?.to_le_bytes());
    bytes[16..30].copy_from_slice(&thunk(original));
    Some(bytes)
}

/// Bytes of a cache line, within which a store is seen at once or not at all.
pub const LINE: u64 = 64;

/// Whether the four bytes at `address` can be replaced by one store while others run them: they
/// must lie in one line.
#[must_use]
pub fn is_patchable(address: u64) -> bool {
    address % LINE <= LINE - 4
}

/// What freed code is filled with: `int3`.
pub const POISON: [u8; 4] = [0xcc; 4];

/// Bytes of a place that can hold a call or nothing.
pub const POINT_SIZE: u64 = 5;
const NOP: [u8; POINT_SIZE as usize] = [0x0f, 0x1f, 0x44, 0x00, 0x00]; // nopl 0(%rax,%rax)
const CALL: u8 = 0xe8;

/// What a place at `at` holds that calls `target`, or does nothing; `None` out of reach.
#[must_use]
pub fn point(at: u64, target: Option<u64>) -> Option<[u8; POINT_SIZE as usize]> {
    let Some(target) = target else { return Some(NOP) };
    let distance = displacement(at + POINT_SIZE, target)?.to_le_bytes();
    Some([CALL, distance[0], distance[1], distance[2], distance[3]])
}

/// Where the eight bytes begin that hold such a place, and can be replaced by one store; `None` if
/// there are none.
#[must_use]
pub fn point_word(at: u64) -> Option<u64> {
    let line = at & !(LINE - 1);
    (at + POINT_SIZE <= line + LINE).then(|| at.min(line + LINE - 8))
}

/// Can these bytes be such a place's?
#[must_use]
pub fn is_point(bytes: [u8; POINT_SIZE as usize]) -> bool {
    // LLVM writes another displacement into the same nop.
    bytes[..4] == NOP[..4] || bytes[0] == CALL
}

fn displacement(from: u64, to: u64) -> Option<i32> {
    i32::try_from(to.wrapping_sub(from).cast_signed()).ok()
}

#[cfg(test)]
mod tests {
    use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Register};

    use super::*;

    /// The instructions in `bytes`, which lie at `address`.
    fn decode(bytes: &[u8], address: u64) -> Vec<Instruction> {
        Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).into_iter().collect()
    }

    fn codes(instructions: &[Instruction]) -> Vec<Code> {
        instructions.iter().map(Instruction::code).collect()
    }

    #[test]
    fn stubs_are_the_instructions_they_claim_to_be() {
        let check = |at, slot, symbol: u32, entry| {
            let bytes = stub(at, slot, symbol, entry).unwrap();
            let [jump, push, go] = &decode(&bytes, at)[..] else { panic!("{bytes:x?}") };
            assert_eq!(
                codes(&[*jump, *push, *go]),
                [Code::Jmp_rm64, Code::Pushq_imm32, Code::Jmp_rel32_64]
            );
            assert_eq!(jump.ip_rel_memory_address(), slot);
            assert_eq!(push.ip() - at, STUB_LAZY);
            // The processor extends the sign; the first-call entry takes the low half.
            assert_eq!(push.immediate32to64() as u32, symbol);
            assert_eq!((go.near_branch64(), go.next_ip() - at), (entry, STUB_SIZE));
        };
        check(0x1000, 0x3000, 7, 0x800);
        check(0x1000_0000, 0x2000_0000, 0, 0x1_0000);
        check(0x9000_0000, 0x1000_0006 + 0x1000, u32::MAX, 0x1000_0010);
        check(0x7fff_0000_0000, 0x7fff_7fff_0000, 1 << 31, 0x7ffe_9000_0000);
    }

    #[test]
    fn stubs_out_of_reach_are_refused() {
        let check = |slot: u64, entry: u64, is_fine: bool| {
            assert_eq!(stub(1 << 40, slot, 0, entry).is_some(), is_fine, "{slot:#x} {entry:#x}");
        };
        let (start, reach) = (1u64 << 40, 1u64 << 31);
        check(start, start, true);
        check(start + 6 + reach - 1, start, true);
        check(start + 6 + reach, start, false);
        check(start + 6 - reach, start, true);
        check(start + 6 - reach - 1, start, false);
        check(start, start + 16 + reach - 1, true);
        check(start, start + 16 + reach, false);
        check(start, start + 16 - reach, true);
        check(start, start + 16 - reach - 1, false);
    }

    #[test]
    fn thunks_jump_to_the_address_behind_them() {
        let bytes = thunk(0x1234_5678_9abc_def0);
        let jump = decode(&bytes, 0x1000)[0];
        assert_eq!((jump.code(), jump.len()), (Code::Jmp_rm64, 6));
        assert_eq!(jump.ip_rel_memory_address(), 0x1006);
        assert_eq!(bytes[6..], 0x1234_5678_9abc_def0u64.to_le_bytes());
    }

    #[test]
    fn the_trampoline_pushes_the_session_and_goes_on() {
        let bytes = first_call_trampoline(0xaaaa, 0xbbbb);
        let code = decode(&bytes[..12], 0x1000);
        assert_eq!(codes(&code), [Code::Push_rm64, Code::Jmp_rm64]);
        let word = |address: u64| {
            let at = (address - 0x1000) as usize;
            u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
        };
        assert_eq!(word(code[0].ip_rel_memory_address()), 0xaaaa);
        assert_eq!(word(code[1].ip_rel_memory_address()), 0xbbbb);
    }

    #[test]
    fn interposers_choose_by_the_threads_flag() {
        let (at, original, replacement) = (0x1000, 0x7fff_0000_1234, 0x2000);
        let bytes = interposer(at, -40, original, replacement).unwrap();
        let [test, to_original, to_replacement, jump] = decode(&bytes[..22], at)[..] else {
            panic!("{bytes:x?}")
        };
        assert_eq!(test.code(), Code::Cmp_rm8_imm8);
        assert_eq!((test.segment_prefix(), test.immediate8()), (Register::FS, 0));
        assert_eq!(test.memory_displacement64() as i64, -40);
        assert_eq!(to_original.code(), Code::Jne_rel8_64);
        assert_eq!(to_original.near_branch64(), jump.ip());
        assert_eq!(to_replacement.near_branch64(), replacement);
        assert_eq!(jump.ip_rel_memory_address(), at + 22);
        assert_eq!(bytes[22..30], original.to_le_bytes());
        assert_eq!(interposer(at, -40, original, 1 << 40), None);
    }

    #[test]
    fn relaxed_instructions_keep_their_length_and_register() {
        for rex in [0x48, 0x4c] {
            for register in 0..8u8 {
                let mut code = [rex, 0x8b, 5 | register << 3, 0x10, 0, 0, 0];
                let before = decode(&code, 0x1000)[0];
                assert_eq!(relax(&mut code, 3), NEAR_LOAD);
                let after = decode(&code, 0x1000)[0];
                assert_eq!(after.code(), Code::Lea_r64_m);
                assert_eq!(after.op0_register(), before.op0_register());
                assert_eq!(after.ip_rel_memory_address(), before.ip_rel_memory_address());
            }
        }
    }

    #[test]
    fn relaxation_stays_within_the_code() {
        for size in 0..6 {
            for offset in [0, 1, 2, 3, u64::MAX, u64::MAX - 3, 1 << 63] {
                let mut code = [0xff, 0x25, 0, 0, 0, 0][..size].to_vec();
                assert_eq!(relax(&mut code, offset), [], "{size} bytes, offset {offset}");
            }
        }
    }

    #[test]
    fn four_bytes_are_patchable_in_one_line() {
        for at in 0..256u64 {
            let lines = (at / 64, (at + 3) / 64);
            assert_eq!(is_patchable(0x40_0000 + at), lines.0 == lines.1, "{at}");
        }
    }

    #[test]
    fn stub_jumps_through_its_slot_and_pushes_its_number() {
        let bytes = stub(0x1000, 0x3000, 7, 0x800).unwrap();
        assert_eq!(
            bytes,
            [0xff, 0x25, 0xfa, 0x1f, 0, 0, 0x68, 7, 0, 0, 0, 0xe9, 0xf0, 0xf7, 0xff, 0xff]
        );
        assert_eq!(stub(0x1000, 0x1_0000_0000, 7, 0x800), None);
    }

    #[test]
    fn slot_loads_become_direct() {
        let check = |before: &[u8], offset, after: &[u8], expected| {
            let mut code = before.to_vec();
            assert_eq!(relax(&mut code, offset), expected);
            assert_eq!(code, after);
        };
        check(&[0x48, 0x8b, 5, 0, 0, 0, 0], 3, &[0x48, 0x8d, 5, 0, 0, 0, 0], NEAR_LOAD);
        check(&[0xff, 0x15, 0, 0, 0, 0], 2, &[0x67, 0xe8, 0, 0, 0, 0], NEAR_CALL);
        check(&[0xff, 0x25, 0, 0, 0, 0], 2, &[0xe9, 0x25, 0, 0, 0, 0x90], NEAR_JUMP);
        check(&[0x48, 0x3b, 5, 0, 0, 0, 0], 3, &[0x48, 0x3b, 5, 0, 0, 0, 0], &[]);
        check(&[0x8b], 0, &[0x8b], &[]);
    }

    #[test]
    fn calls_are_sent_elsewhere() {
        let check = |place, target| {
            let word = redirected(place, 0, target).unwrap();
            assert_eq!(call_target(place, word), target);
        };
        check(0x1000, 0x1004);
        check(0x1000, 0);
        check(0x7fff_0000_0000, 0x7fff_7fff_0000);
        assert_eq!(redirected(0, 0, 1 << 32), None);
    }
}
