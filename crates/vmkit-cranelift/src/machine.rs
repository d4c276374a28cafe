//! The instruction sets that code can be for: relocations by the numbers of their ELF supplements
//! (psABI), registers by those of DWARF.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::isa::TargetIsa;
use vmkit::graph::EdgeKind;
use vmkit::target::{Isa, aarch64, x86_64};

/// What differs between instruction sets.
pub(crate) struct Machine {
    /// What the linker knows of it.
    pub(crate) isa: &'static Isa,
    /// The number of a relocation at an offset in code; none if no ELF relocation says the same.
    pub(crate) edge: fn(Reloc, &[u8], u32) -> Option<EdgeKind>,
    /// An address of eight bytes.
    pub(crate) absolute: EdgeKind,
    /// An address counted from the place itself, of four bytes.
    pub(crate) relative: EdgeKind,
    pub(crate) stack_pointer: u16,
    /// DWARF's numbers of the general registers, by those that instructions have.
    pub(crate) general: [u16; 32],
}

const MACHINES: [Machine; 2] = [
    Machine {
        isa: &x86_64::ISA,
        edge: x86_64_edge,
        absolute: EdgeKind(1), // R_X86_64_64
        relative: EdgeKind(2), // R_X86_64_PC32
        stack_pointer: 7,
        general: x86_64_general(),
    },
    Machine {
        isa: &aarch64::ISA,
        edge: aarch64_edge,
        absolute: EdgeKind(257), // R_AARCH64_ABS64
        relative: EdgeKind(261), // R_AARCH64_PREL32
        stack_pointer: 31,
        general: same(),
    },
];

const fn same() -> [u16; 32] {
    let mut numbers = [0; 32];
    let mut at = 0;
    while at < numbers.len() {
        numbers[at] = at as u16;
        at += 1;
    }
    numbers
}

/// `rcx`, `rdx` and `rbx`, and `rsp` to `rdi`, have another order there.
const fn x86_64_general() -> [u16; 32] {
    let mut numbers = same();
    [numbers[1], numbers[2], numbers[3]] = [2, 1, 3];
    [numbers[4], numbers[5], numbers[6], numbers[7]] = [7, 6, 4, 5];
    numbers
}

impl Machine {
    /// That of a target; none if its code cannot be linked.
    pub(crate) fn of(isa: &dyn TargetIsa) -> Option<&'static Self> {
        let architecture = isa.triple().architecture.to_string();
        MACHINES.iter().find(|machine| machine.isa.name == architecture)
    }
}

/// Opcodes of `call` and `jmp` with a displacement of four bytes.
const BRANCHES: [u8; 2] = [0xe8, 0xe9];

/// The number of a relocation of the four or eight bytes at `offset` in x86-64 code or data; none if
/// no ELF relocation says the same.
fn x86_64_edge(kind: Reloc, bytes: &[u8], offset: u32) -> Option<EdgeKind> {
    let before = (offset as usize).checked_sub(1).and_then(|at| bytes.get(at));
    let is_branch = before.is_some_and(|opcode| BRANCHES.contains(opcode));
    Some(EdgeKind(match kind {
        Reloc::Abs4 => 10,     // R_X86_64_32
        Reloc::Abs8 => 1,      // R_X86_64_64
        Reloc::X86PCRel4 => 2, // R_X86_64_PC32
        // Cranelift writes addresses of near functions as it does calls of them.
        Reloc::X86CallPCRel4 if !is_branch => 2, // R_X86_64_PC32
        Reloc::X86CallPCRel4 | Reloc::X86CallPLTRel4 => 4, // R_X86_64_PLT32
        Reloc::X86GOTPCRel4 => 42,               // R_X86_64_REX_GOTPCRELX
        Reloc::ElfX86_64TlsGd => 19,             // R_X86_64_TLSGD
        _ => return None,
    }))
}

/// The number of a relocation at `offset` in aarch64 code or data; none if no ELF relocation says the
/// same.
fn aarch64_edge(kind: Reloc, bytes: &[u8], offset: u32) -> Option<EdgeKind> {
    // The top bit of a branch's last byte tells `bl` from `b`.
    let last = (offset as usize).checked_add(3).and_then(|at| bytes.get(at));
    let is_call = last.is_some_and(|byte| byte & 0x80 != 0);
    Some(EdgeKind(match kind {
        Reloc::Abs4 => 258,                    // R_AARCH64_ABS32
        Reloc::Abs8 => 257,                    // R_AARCH64_ABS64
        Reloc::Arm64Call if is_call => 283,    // R_AARCH64_CALL26
        Reloc::Arm64Call => 282,               // R_AARCH64_JUMP26
        Reloc::Aarch64AdrPrelPgHi21 => 275,    // R_AARCH64_ADR_PREL_PG_HI21
        Reloc::Aarch64AddAbsLo12Nc => 277,     // R_AARCH64_ADD_ABS_LO12_NC
        Reloc::Aarch64AdrGotPage21 => 311,     // R_AARCH64_ADR_GOT_PAGE
        Reloc::Aarch64Ld64GotLo12Nc => 312,    // R_AARCH64_LD64_GOT_LO12_NC
        Reloc::Aarch64TlsDescAdrPage21 => 562, // R_AARCH64_TLSDESC_ADR_PAGE21
        Reloc::Aarch64TlsDescLd64Lo12 => 563,  // R_AARCH64_TLSDESC_LD64_LO12
        Reloc::Aarch64TlsDescAddLo12 => 564,   // R_AARCH64_TLSDESC_ADD_LO12
        Reloc::Aarch64TlsDescCall => 569,      // R_AARCH64_TLSDESC_CALL
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_addresses_and_calls_are_told_apart() {
        let check = |opcode: u8, expected| {
            let bytes = [0x48, opcode, 0, 0, 0, 0];
            assert_eq!(x86_64_edge(Reloc::X86CallPCRel4, &bytes, 2), Some(EdgeKind(expected)));
        };
        check(0xe8, 4);
        check(0xe9, 4);
        // The byte that names registers in `lea disp(%rip), %rax`.
        check(0x05, 2);
        assert_eq!(x86_64_edge(Reloc::X86CallPCRel4, &[], 0), Some(EdgeKind(2)));
    }

    #[test]
    fn branches_and_calls_of_aarch64_are_told_apart() {
        let check = |last: u8, expected| {
            let bytes = [0, 0, 0, last];
            assert_eq!(aarch64_edge(Reloc::Arm64Call, &bytes, 0), Some(EdgeKind(expected)));
        };
        check(0x94, 283);
        check(0x14, 282);
    }

    #[test]
    fn relocations_of_other_machines_are_none() {
        assert_eq!(x86_64_edge(Reloc::Arm64Call, &[], 0), None);
        assert_eq!(aarch64_edge(Reloc::X86GOTPCRel4, &[], 0), None);
    }
}
