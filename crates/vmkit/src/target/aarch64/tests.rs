use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::InstDecoder;

use super::*;

/// The instructions in `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Vec<String> {
    let decoder = InstDecoder::default();
    let decode = |word: &[u8]| decoder.decode(&mut U8Reader::new(word)).unwrap().to_string();
    bytes.chunks_exact(4).map(decode).collect()
}

#[test]
fn stubs_are_the_instructions_they_claim_to_be() {
    let bytes = stub(0x1000, 0x0300_0018, 0x1_0007, 0x800).unwrap();
    let expected = [
        "adrp x16, $+0x2fff000",
        "ldr x17, [x16, #0x18]",
        "br x17",
        "mov w16, #0x7",
        "movk w16, #0x1, lsl #16",
        "b $-0x814",
    ];
    assert_eq!(decode(&bytes), expected);
    assert_eq!(bytes.len() as u64, STUB_SIZE);
    assert_eq!(decode(&bytes[STUB_LAZY as usize..])[0], "mov w16, #0x7");
}

#[test]
fn stubs_out_of_reach_are_refused() {
    let check = |slot: u64, entry: u64, is_fine: bool| {
        assert_eq!(stub(1 << 40, slot, 0, entry).is_some(), is_fine, "{slot:#x} {entry:#x}");
    };
    let (start, reach) = (1u64 << 40, 1u64 << 32);
    check(start, start, true);
    check(start + reach - 8, start, true);
    check(start + reach, start, false);
    check(start - reach, start, true);
    check(start - reach - 8, start, false);
    check(start, start + 20 + (1 << 27) - 4, true);
    check(start, start + 20 + (1 << 27), false);
    check(start, start + 20 - (1 << 27), true);
    check(start, start + 16 - (1 << 27), false);
    check(start, start + 2, false);
}

#[test]
fn thunks_jump_to_the_address_behind_them() {
    let bytes = thunk(0x1234_5678_9abc_def0);
    assert_eq!(decode(&bytes[..8]), ["ldr x16, $+0x8", "br x16"]);
    assert_eq!(bytes[8..], 0x1234_5678_9abc_def0u64.to_le_bytes());
}

#[test]
fn the_trampoline_puts_the_number_on_the_stack_and_goes_on() {
    let bytes = first_call_trampoline(0xaaaa_0000_bbbb, 0xcccc_0000_dddd);
    let expected = ["str x16, [sp, #-0x10]!", "ldr x16, $+0xc", "ldr x17, $+0x10", "br x17"];
    assert_eq!(decode(&bytes[..16]), expected);
    assert_eq!(bytes[16..24], 0xaaaa_0000_bbbbu64.to_le_bytes());
    assert_eq!(bytes[24..], 0xcccc_0000_ddddu64.to_le_bytes());
}

#[test]
fn interposers_choose_by_the_threads_flag() {
    let bytes = interposer(0x1000, -40, 0x7fff_0000_1234, 0x2000).unwrap();
    let expected = [
        "mov w16, #0xffd8",
        "movk w16, #0xffff, lsl #16",
        "mrs x17, tpidr_el0",
        "ldrb w16, [x17, w16, sxtw #0]",
        "cbnz w16, $+0x8",
        "b $+0xfec",
    ];
    assert_eq!(decode(&bytes[..24]), expected);
    assert_eq!(bytes[24..], thunk(0x7fff_0000_1234));
    assert_eq!(interposer(0x1000, -40, 0, 1 << 40), None);
}

#[test]
fn slot_loads_become_direct() {
    let check = |before: [u32; 2], expected: &[Relaxed]| {
        let mut code = before.map(u32::to_le_bytes).concat();
        assert_eq!(relax(&mut code, 0), expected);
        let add = 0x9100_0000 | before[0] & 0x1f | (before[0] & 0x1f) << 5;
        let after = if expected.is_empty() { before } else { [before[0], add] };
        assert_eq!(code, after.map(u32::to_le_bytes).concat());
    };
    check([0x9000_0000, 0xf940_0000], RELATIVE); // adrp x0; ldr x0, [x0]
    check([0x9000_001d, 0xf940_03bd], RELATIVE); // adrp x29; ldr x29, [x29]
    check([0x9000_0001, 0xf940_0020], &[]); // adrp x1; ldr x0, [x1]
    check([0x9000_0000, 0xf940_0020], &[]); // adrp x0; ldr x0, [x1]
    check([0x1000_0000, 0xf940_0000], &[]); // adr x0
    check([0x9000_0000, 0xb940_0000], &[]); // ldr w0
}

#[test]
fn relaxation_stays_within_the_code() {
    for size in 0..8 {
        for offset in [0, 1, 4, u64::MAX, u64::MAX - 3, 1 << 63] {
            let mut code = [0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x40, 0xf9][..size].to_vec();
            assert_eq!(relax(&mut code, offset), [], "{size} bytes, offset {offset}");
        }
    }
}

#[test]
fn calls_are_sent_elsewhere() {
    let check = |place, word, target: u64| {
        let found = redirected(place, word, target).unwrap();
        assert_eq!((call_target(place, found), found & 0xfc00_0000), (target, word & 0xfc00_0000));
    };
    for word in [B, BL, BL | 0x3ff_ffff] {
        check(0x1000, word, 0x1000);
        check(0x1000, word, 0);
        check(1 << 40, word, (1 << 40) + (1 << 27) - 4);
        check(1 << 40, word, (1 << 40) - (1 << 27));
    }
    assert_eq!(redirected(0, BL, 1 << 27), None);
    assert_eq!(redirected(0, BL, 2), None);
    assert!(is_call(&BL.to_le_bytes(), 0) && !is_call(&B.to_le_bytes(), 0));
    assert!(!is_call(&[0, 0, 0], 0) && !is_call(&BL.to_le_bytes(), u64::MAX));
}

#[test]
fn points_are_calls_or_nothing() {
    let call = point(0x1000, Some(0x2000)).unwrap();
    assert_eq!(
        (decode(&call), call_target(0x1000, u32::from_le_bytes(call))),
        (vec!["bl $+0x1000".into()], 0x2000)
    );
    let nothing = point(0x1000, None).unwrap();
    assert_eq!(decode(&nothing), ["nop"]);
    assert!(is_point(call) && is_point(nothing) && !is_point([0; 4]));
    assert_eq!(point(0, Some(1 << 40)), None);
    assert_eq!(
        (point_word(0x1004), point_word(0x1008), point_word(0x1002)),
        (Some(0x1000), Some(0x1008), None)
    );
}

#[test]
fn each_register_has_a_place_of_its_own() {
    let mut places: Vec<_> = (0..128).filter_map(register).collect();
    places.sort_unstable();
    assert_eq!(places, (0..REGISTERS).collect::<Vec<_>>());
    let sorted = |mut registers: [u16; PRESERVED.len()]| {
        registers.sort_unstable();
        registers
    };
    assert_eq!(sorted(PRESERVED), sorted(ANCHORED));
}
