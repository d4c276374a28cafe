//! Edges by the numbers of the ELF psABI for AArch64 (2024Q3, section 5.7).

use crate::target::row::run;
use crate::target::{Base, Field, Row, Run, Term};

const ANY: (i128, i128) = (i64::MIN as i128, u64::MAX as i128);
const U12: (i128, i128) = unsigned(12);
const U15: (i128, i128) = unsigned(15);
const U16: (i128, i128) = unsigned(16);
const U24: (i128, i128) = unsigned(24);
const U32: (i128, i128) = unsigned(32);
const U48: (i128, i128) = unsigned(48);
const I16: (i128, i128) = signed(16);
const I17: (i128, i128) = signed(17);
const I21: (i128, i128) = signed(21);
const I28: (i128, i128) = signed(28);
const I32: (i128, i128) = signed(32);
const I33: (i128, i128) = signed(33);
const I49: (i128, i128) = signed(49);
/// Either sign.
const ANY16: (i128, i128) = (I16.0, U16.1);
const ANY32: (i128, i128) = (I32.0, U32.1);

const fn unsigned(bits: u32) -> (i128, i128) {
    (0, (1 << bits) - 1)
}

const fn signed(bits: u32) -> (i128, i128) {
    (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

const fn instruction(runs: &'static [Run], align: u8) -> Field {
    Field { size: 4, runs, align, positive: 0 }
}

const WORD: Field = Field::bytes(8);
const HALF: Field = Field::bytes(4);
const QUARTER: Field = Field::bytes(2);
const NOTHING: Field = Field::bytes(0);
/// `b`, `bl`.
pub const CALL_FIELD: Field = instruction(&[run(2, 0, 26)], 4);
/// `b.cond`, `cbz`, `ldr` of a literal.
pub(super) const NEAR: Field = instruction(&[run(2, 5, 19)], 4);
/// `tbz`.
const TEST: Field = instruction(&[run(2, 5, 14)], 4);
/// `adr`.
const ADR: Field = instruction(&[run(0, 29, 2), run(2, 5, 19)], 1);
/// `adrp`.
pub(super) const ADRP: Field = instruction(&[run(12, 29, 2), run(14, 5, 19)], 1);
/// `add` of an immediate, and loads and stores, by the bytes that they transfer.
const LOW: Field = instruction(&[run(0, 10, 12)], 1);
const LOW16: Field = instruction(&[run(1, 10, 11)], 2);
const LOW32: Field = instruction(&[run(2, 10, 10)], 4);
pub(super) const LOW64: Field = instruction(&[run(3, 10, 9)], 8);
const LOW128: Field = instruction(&[run(4, 10, 8)], 16);
/// `add` of an immediate shifted left by 12.
const HIGH: Field = instruction(&[run(12, 10, 12)], 1);
/// `ldr` of up to 32 KiB.
const LOW15: Field = instruction(&[run(3, 10, 12)], 8);
/// `movz`, `movk`: which 16 bits.
pub(super) const MOVE0: Field = instruction(&[run(0, 5, 16)], 1);
pub(super) const MOVE1: Field = instruction(&[run(16, 5, 16)], 1);
const MOVE2: Field = instruction(&[run(32, 5, 16)], 1);
const MOVE3: Field = instruction(&[run(48, 5, 16)], 1);
/// `movz` or `movn`, as the sign says.
const SIGNED0: Field = Field { positive: 1 << 30, ..MOVE0 };
const SIGNED1: Field = Field { positive: 1 << 30, ..MOVE1 };
const SIGNED2: Field = Field { positive: 1 << 30, ..MOVE2 };

const fn row(
    number: u32,
    name: &'static str,
    (term, base): (Term, Base),
    field: Field,
    (low, high): (i128, i128),
) -> Row {
    Row { number, name, term, base, field, low, high }
}

const NONE: (Term, Base) = (Term::None, Base::Zero);
const ABSOLUTE: (Term, Base) = (Term::Address, Base::Zero);
const RELATIVE: (Term, Base) = (Term::Address, Base::Place);
const PAGE: (Term, Base) = (Term::Address, Base::Page);
const CALL: (Term, Base) = (Term::Call, Base::Place);
const SLOT: (Term, Base) = (Term::Slot, Base::Zero);
const SLOT_RELATIVE: (Term, Base) = (Term::Slot, Base::Place);
const SLOT_PAGE: (Term, Base) = (Term::SlotLoad, Base::Page);
const SLOT_OFFSET: (Term, Base) = (Term::Slot, Base::Slots);
const SLOT_IN_PAGE: (Term, Base) = (Term::Slot, Base::SlotsPage);
const FROM_SLOTS: (Term, Base) = (Term::Address, Base::Slots);
const PAIR: (Term, Base) = (Term::ThreadPair, Base::Zero);
const PAIR_RELATIVE: (Term, Base) = (Term::ThreadPair, Base::Place);
const PAIR_PAGE: (Term, Base) = (Term::ThreadPair, Base::Page);
const MODULE: (Term, Base) = (Term::ThreadModule, Base::Zero);
const MODULE_RELATIVE: (Term, Base) = (Term::ThreadModule, Base::Place);
const MODULE_PAGE: (Term, Base) = (Term::ThreadModule, Base::Page);
const IN_MODULE: (Term, Base) = (Term::ThreadOffset, Base::Zero);
const STATIC: (Term, Base) = (Term::StaticThreadOffset, Base::Zero);
const STATIC_SLOT: (Term, Base) = (Term::StaticThreadSlot, Base::Zero);
const STATIC_SLOT_RELATIVE: (Term, Base) = (Term::StaticThreadSlot, Base::Place);
const STATIC_SLOT_PAGE: (Term, Base) = (Term::StaticThreadSlot, Base::Page);
const DESCRIPTOR: (Term, Base) = (Term::ThreadDescriptor, Base::Zero);
const DESCRIPTOR_RELATIVE: (Term, Base) = (Term::ThreadDescriptor, Base::Place);
const DESCRIPTOR_PAGE: (Term, Base) = (Term::ThreadDescriptor, Base::Page);
const DESCRIPTOR_OFFSET: (Term, Base) = (Term::ThreadDescriptor, Base::Slots);

/// Every edge kind this target knows, in the order of their numbers.
pub const ROWS: &[Row] = &[
    row(0, "R_AARCH64_NONE", NONE, NOTHING, ANY),
    row(257, "R_AARCH64_ABS64", ABSOLUTE, WORD, ANY),
    row(258, "R_AARCH64_ABS32", ABSOLUTE, HALF, ANY32),
    row(259, "R_AARCH64_ABS16", ABSOLUTE, QUARTER, ANY16),
    row(260, "R_AARCH64_PREL64", RELATIVE, WORD, ANY),
    row(261, "R_AARCH64_PREL32", RELATIVE, HALF, ANY32),
    row(262, "R_AARCH64_PREL16", RELATIVE, QUARTER, ANY16),
    row(263, "R_AARCH64_MOVW_UABS_G0", ABSOLUTE, MOVE0, U16),
    row(264, "R_AARCH64_MOVW_UABS_G0_NC", ABSOLUTE, MOVE0, ANY),
    row(265, "R_AARCH64_MOVW_UABS_G1", ABSOLUTE, MOVE1, U32),
    row(266, "R_AARCH64_MOVW_UABS_G1_NC", ABSOLUTE, MOVE1, ANY),
    row(267, "R_AARCH64_MOVW_UABS_G2", ABSOLUTE, MOVE2, U48),
    row(268, "R_AARCH64_MOVW_UABS_G2_NC", ABSOLUTE, MOVE2, ANY),
    row(269, "R_AARCH64_MOVW_UABS_G3", ABSOLUTE, MOVE3, ANY),
    row(270, "R_AARCH64_MOVW_SABS_G0", ABSOLUTE, SIGNED0, I17),
    row(271, "R_AARCH64_MOVW_SABS_G1", ABSOLUTE, SIGNED1, I33),
    row(272, "R_AARCH64_MOVW_SABS_G2", ABSOLUTE, SIGNED2, I49),
    row(273, "R_AARCH64_LD_PREL_LO19", RELATIVE, NEAR, I21),
    row(274, "R_AARCH64_ADR_PREL_LO21", RELATIVE, ADR, I21),
    row(275, "R_AARCH64_ADR_PREL_PG_HI21", PAGE, ADRP, I33),
    row(276, "R_AARCH64_ADR_PREL_PG_HI21_NC", PAGE, ADRP, ANY),
    row(277, "R_AARCH64_ADD_ABS_LO12_NC", ABSOLUTE, LOW, ANY),
    row(278, "R_AARCH64_LDST8_ABS_LO12_NC", ABSOLUTE, LOW, ANY),
    row(279, "R_AARCH64_TSTBR14", RELATIVE, TEST, I16),
    row(280, "R_AARCH64_CONDBR19", RELATIVE, NEAR, I21),
    row(282, "R_AARCH64_JUMP26", CALL, CALL_FIELD, I28),
    row(283, "R_AARCH64_CALL26", CALL, CALL_FIELD, I28),
    row(284, "R_AARCH64_LDST16_ABS_LO12_NC", ABSOLUTE, LOW16, ANY),
    row(285, "R_AARCH64_LDST32_ABS_LO12_NC", ABSOLUTE, LOW32, ANY),
    row(286, "R_AARCH64_LDST64_ABS_LO12_NC", ABSOLUTE, LOW64, ANY),
    row(287, "R_AARCH64_MOVW_PREL_G0", RELATIVE, SIGNED0, I17),
    row(288, "R_AARCH64_MOVW_PREL_G0_NC", RELATIVE, MOVE0, ANY),
    row(289, "R_AARCH64_MOVW_PREL_G1", RELATIVE, SIGNED1, I33),
    row(290, "R_AARCH64_MOVW_PREL_G1_NC", RELATIVE, MOVE1, ANY),
    row(291, "R_AARCH64_MOVW_PREL_G2", RELATIVE, SIGNED2, I49),
    row(292, "R_AARCH64_MOVW_PREL_G2_NC", RELATIVE, MOVE2, ANY),
    row(293, "R_AARCH64_MOVW_PREL_G3", RELATIVE, MOVE3, ANY),
    row(299, "R_AARCH64_LDST128_ABS_LO12_NC", ABSOLUTE, LOW128, ANY),
    row(300, "R_AARCH64_MOVW_GOTOFF_G0", SLOT_OFFSET, SIGNED0, I17),
    row(301, "R_AARCH64_MOVW_GOTOFF_G0_NC", SLOT_OFFSET, MOVE0, ANY),
    row(302, "R_AARCH64_MOVW_GOTOFF_G1", SLOT_OFFSET, SIGNED1, I33),
    row(303, "R_AARCH64_MOVW_GOTOFF_G1_NC", SLOT_OFFSET, MOVE1, ANY),
    row(304, "R_AARCH64_MOVW_GOTOFF_G2", SLOT_OFFSET, SIGNED2, I49),
    row(305, "R_AARCH64_MOVW_GOTOFF_G2_NC", SLOT_OFFSET, MOVE2, ANY),
    row(306, "R_AARCH64_MOVW_GOTOFF_G3", SLOT_OFFSET, MOVE3, ANY),
    row(307, "R_AARCH64_GOTREL64", FROM_SLOTS, WORD, ANY),
    row(308, "R_AARCH64_GOTREL32", FROM_SLOTS, HALF, I32),
    row(309, "R_AARCH64_GOT_LD_PREL19", SLOT_RELATIVE, NEAR, I21),
    row(310, "R_AARCH64_LD64_GOTOFF_LO15", SLOT_OFFSET, LOW15, U15),
    row(311, "R_AARCH64_ADR_GOT_PAGE", SLOT_PAGE, ADRP, I33),
    row(312, "R_AARCH64_LD64_GOT_LO12_NC", SLOT, LOW64, ANY),
    row(313, "R_AARCH64_LD64_GOTPAGE_LO15", SLOT_IN_PAGE, LOW15, U15),
    row(314, "R_AARCH64_PLT32", CALL, HALF, I32),
    row(315, "R_AARCH64_GOTPCREL32", SLOT_RELATIVE, HALF, I32),
    row(512, "R_AARCH64_TLSGD_ADR_PREL21", PAIR_RELATIVE, ADR, I21),
    row(513, "R_AARCH64_TLSGD_ADR_PAGE21", PAIR_PAGE, ADRP, I33),
    row(514, "R_AARCH64_TLSGD_ADD_LO12_NC", PAIR, LOW, ANY),
    row(515, "R_AARCH64_TLSGD_MOVW_G1", PAIR_RELATIVE, SIGNED1, I33),
    row(516, "R_AARCH64_TLSGD_MOVW_G0_NC", PAIR_RELATIVE, MOVE0, ANY),
    row(517, "R_AARCH64_TLSLD_ADR_PREL21", MODULE_RELATIVE, ADR, I21),
    row(518, "R_AARCH64_TLSLD_ADR_PAGE21", MODULE_PAGE, ADRP, I33),
    row(519, "R_AARCH64_TLSLD_ADD_LO12_NC", MODULE, LOW, ANY),
    row(520, "R_AARCH64_TLSLD_MOVW_G1", MODULE_RELATIVE, SIGNED1, I33),
    row(521, "R_AARCH64_TLSLD_MOVW_G0_NC", MODULE_RELATIVE, MOVE0, ANY),
    row(522, "R_AARCH64_TLSLD_LD_PREL19", MODULE_RELATIVE, NEAR, I21),
    row(523, "R_AARCH64_TLSLD_MOVW_DTPREL_G2", IN_MODULE, SIGNED2, I49),
    row(524, "R_AARCH64_TLSLD_MOVW_DTPREL_G1", IN_MODULE, SIGNED1, I33),
    row(525, "R_AARCH64_TLSLD_MOVW_DTPREL_G1_NC", IN_MODULE, MOVE1, ANY),
    row(526, "R_AARCH64_TLSLD_MOVW_DTPREL_G0", IN_MODULE, SIGNED0, I17),
    row(527, "R_AARCH64_TLSLD_MOVW_DTPREL_G0_NC", IN_MODULE, MOVE0, ANY),
    row(528, "R_AARCH64_TLSLD_ADD_DTPREL_HI12", IN_MODULE, HIGH, U24),
    row(529, "R_AARCH64_TLSLD_ADD_DTPREL_LO12", IN_MODULE, LOW, U12),
    row(530, "R_AARCH64_TLSLD_ADD_DTPREL_LO12_NC", IN_MODULE, LOW, ANY),
    row(531, "R_AARCH64_TLSLD_LDST8_DTPREL_LO12", IN_MODULE, LOW, U12),
    row(532, "R_AARCH64_TLSLD_LDST8_DTPREL_LO12_NC", IN_MODULE, LOW, ANY),
    row(533, "R_AARCH64_TLSLD_LDST16_DTPREL_LO12", IN_MODULE, LOW16, U12),
    row(534, "R_AARCH64_TLSLD_LDST16_DTPREL_LO12_NC", IN_MODULE, LOW16, ANY),
    row(535, "R_AARCH64_TLSLD_LDST32_DTPREL_LO12", IN_MODULE, LOW32, U12),
    row(536, "R_AARCH64_TLSLD_LDST32_DTPREL_LO12_NC", IN_MODULE, LOW32, ANY),
    row(537, "R_AARCH64_TLSLD_LDST64_DTPREL_LO12", IN_MODULE, LOW64, U12),
    row(538, "R_AARCH64_TLSLD_LDST64_DTPREL_LO12_NC", IN_MODULE, LOW64, ANY),
    row(539, "R_AARCH64_TLSIE_MOVW_GOTTPREL_G1", STATIC_SLOT_RELATIVE, SIGNED1, I33),
    row(540, "R_AARCH64_TLSIE_MOVW_GOTTPREL_G0_NC", STATIC_SLOT_RELATIVE, MOVE0, ANY),
    row(541, "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21", STATIC_SLOT_PAGE, ADRP, I33),
    row(542, "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC", STATIC_SLOT, LOW64, ANY),
    row(543, "R_AARCH64_TLSIE_LD_GOTTPREL_PREL19", STATIC_SLOT_RELATIVE, NEAR, I21),
    row(544, "R_AARCH64_TLSLE_MOVW_TPREL_G2", STATIC, SIGNED2, I49),
    row(545, "R_AARCH64_TLSLE_MOVW_TPREL_G1", STATIC, SIGNED1, I33),
    row(546, "R_AARCH64_TLSLE_MOVW_TPREL_G1_NC", STATIC, MOVE1, ANY),
    row(547, "R_AARCH64_TLSLE_MOVW_TPREL_G0", STATIC, SIGNED0, I17),
    row(548, "R_AARCH64_TLSLE_MOVW_TPREL_G0_NC", STATIC, MOVE0, ANY),
    row(549, "R_AARCH64_TLSLE_ADD_TPREL_HI12", STATIC, HIGH, U24),
    row(550, "R_AARCH64_TLSLE_ADD_TPREL_LO12", STATIC, LOW, U12),
    row(551, "R_AARCH64_TLSLE_ADD_TPREL_LO12_NC", STATIC, LOW, ANY),
    row(552, "R_AARCH64_TLSLE_LDST8_TPREL_LO12", STATIC, LOW, U12),
    row(553, "R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC", STATIC, LOW, ANY),
    row(554, "R_AARCH64_TLSLE_LDST16_TPREL_LO12", STATIC, LOW16, U12),
    row(555, "R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC", STATIC, LOW16, ANY),
    row(556, "R_AARCH64_TLSLE_LDST32_TPREL_LO12", STATIC, LOW32, U12),
    row(557, "R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC", STATIC, LOW32, ANY),
    row(558, "R_AARCH64_TLSLE_LDST64_TPREL_LO12", STATIC, LOW64, U12),
    row(559, "R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC", STATIC, LOW64, ANY),
    row(560, "R_AARCH64_TLSDESC_LD_PREL19", DESCRIPTOR_RELATIVE, NEAR, I21),
    row(561, "R_AARCH64_TLSDESC_ADR_PREL21", DESCRIPTOR_RELATIVE, ADR, I21),
    row(562, "R_AARCH64_TLSDESC_ADR_PAGE21", DESCRIPTOR_PAGE, ADRP, I33),
    row(563, "R_AARCH64_TLSDESC_LD64_LO12", DESCRIPTOR, LOW64, ANY),
    row(564, "R_AARCH64_TLSDESC_ADD_LO12", DESCRIPTOR, LOW, ANY),
    row(565, "R_AARCH64_TLSDESC_OFF_G1", DESCRIPTOR_OFFSET, SIGNED1, I33),
    row(566, "R_AARCH64_TLSDESC_OFF_G0_NC", DESCRIPTOR_OFFSET, MOVE0, ANY),
    row(567, "R_AARCH64_TLSDESC_LDR", NONE, NOTHING, ANY),
    row(568, "R_AARCH64_TLSDESC_ADD", NONE, NOTHING, ANY),
    row(569, "R_AARCH64_TLSDESC_CALL", NONE, NOTHING, ANY),
    row(570, "R_AARCH64_TLSLE_LDST128_TPREL_LO12", STATIC, LOW128, U12),
    row(571, "R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC", STATIC, LOW128, ANY),
    row(572, "R_AARCH64_TLSLD_LDST128_DTPREL_LO12", IN_MODULE, LOW128, U12),
    row(573, "R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC", IN_MODULE, LOW128, ANY),
];

/// The edge of a pointer of `size` bytes in data, to the symbol or, if it `is_relative`, from the
/// pointer to it; none where there is no such relocation.
#[must_use]
pub const fn pointer(size: u64, is_relative: bool) -> Option<u32> {
    Some(match (size, is_relative) {
        (8, false) => 257,
        (4, false) => 258,
        (2, false) => 259,
        (8, true) => 260,
        (4, true) => 261,
        (2, true) => 262,
        _ => return None,
    })
}

/// The relocations by which a library's tables are filled with addresses of functions and data.
pub const TABLE_ENTRIES: [u32; 2] = [R_JUMP_SLOT, R_GLOB_DAT];
const R_GLOB_DAT: u32 = 1025;
const R_JUMP_SLOT: u32 = 1026;
/// The relocation of a word of a library that is to hold the distance of its thread-local variables from
/// the thread pointer.
pub const THREAD_DISTANCE: u32 = 1030;
