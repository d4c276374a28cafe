use object::elf;
use proptest::prelude::*;

use super::*;
use crate::graph::sample::{Mark, Part, Sample, caller};

fn read(bytes: &[u8]) -> Result<LinkGraph> {
    LinkGraph::from_elf(&"input.o".into(), ScopeId::GLOBAL, bytes)
}

fn check(sample: &Sample) -> LinkGraph {
    read(&sample.bytes()).unwrap()
}

fn check_refused(bytes: &[u8], what: &str) {
    let error = read(bytes).unwrap_err();
    assert!(error.is_input(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("input.o: ") && text.contains(what), "{text}");
}

fn with_part(part: Part) -> Sample {
    Sample { parts: vec![part], marks: Vec::new() }
}

#[test]
fn a_caller_becomes_a_graph() {
    let graph = check(&caller());
    let expected = "\
section .text: Code, 6 bytes, align 8
  0000: e8 00 00 00 00 c3
  0001: R_X86_64_PLT32 callee - 0x4
section .data: Data, 8 bytes, align 8
  0000: 00 00 00 00 00 00 00 00
  0000: R_X86_64_64 caller
symbol caller: .text+0x0, Function, 6 bytes
symbol callee: undefined
";
    assert_eq!(graph.to_string(), expected);
}

#[test]
fn sections_go_where_their_flags_say() {
    let check = |name, kind, flags, expected| {
        let part = Part { kind, flags, ..Part::new(name, 0, &[0; 8]) };
        assert_eq!(check(&with_part(part)).sections[0].kind, expected, "{name}");
    };
    let (alloc, bits) = (elf::SHF_ALLOC, elf::SHT_PROGBITS);
    check(".text", bits, alloc | elf::SHF_EXECINSTR, SectionKind::Code);
    check(".rodata", bits, alloc, SectionKind::ReadOnly);
    check(".data", bits, alloc | elf::SHF_WRITE, SectionKind::Data);
    check(".data.rel.ro", bits, alloc | elf::SHF_WRITE, SectionKind::ReadOnly);
    check(".tdata", bits, alloc | elf::SHF_WRITE | elf::SHF_TLS, SectionKind::ThreadLocal);
    check(".eh_frame", elf::SHT_X86_64_UNWIND, alloc, SectionKind::Unwind);
    check(".llvm_stackmaps", bits, alloc, SectionKind::StackMaps);
    check(".init_array.5", elf::SHT_INIT_ARRAY, alloc | elf::SHF_WRITE, SectionKind::Init(5));
    check(".init_array", elf::SHT_INIT_ARRAY, alloc, SectionKind::Init(u16::MAX));
    check(".init_array.99999", elf::SHT_INIT_ARRAY, alloc, SectionKind::Init(u16::MAX));
    check(".fini_array.65535", elf::SHT_FINI_ARRAY, alloc, SectionKind::Fini(u16::MAX));
    check(".debug_info", bits, 0, SectionKind::Unloaded);
    check(".eh_frame", bits, 0, SectionKind::Unloaded);
}

#[test]
fn zeros_have_a_size_and_no_bytes() {
    let part = Part { kind: elf::SHT_NOBITS, size: Some(4096), ..Part::new(".bss", 1, &[]) };
    let section = check(&with_part(part)).sections.remove(0);
    assert_eq!((section.size, section.bytes.len(), section.kind), (4096, 0, SectionKind::Data));
}

#[test]
fn symbols_say_who_may_use_them() {
    let check = |mark: Mark, place, binding, kind| {
        let sample = Sample { parts: vec![Part::code(&[0xc3; 8])], marks: vec![mark] };
        let symbol = check(&sample).symbols.remove(1);
        assert_eq!((symbol.place, symbol.binding, symbol.kind), (place, binding, kind));
    };
    let base = Mark::function("f", 1, 4, 1);
    let (here, strong) = (Place::Section { index: 0, offset: 4 }, Binding::Global(Linkage::Strong));
    let weak = Binding::Global(Linkage::Weak);
    let function = Some(SymbolKind::Function);
    check(base, here, strong, function);
    check(Mark { bind: elf::STB_WEAK, ..base }, here, weak, function);
    check(Mark { bind: elf::STB_LOCAL, ..base }, here, Binding::Graph, function);
    check(Mark { kind: elf::STT_GNU_IFUNC, ..base }, here, strong, Some(SymbolKind::Indirect));
    check(Mark { kind: elf::STT_OBJECT, ..base }, here, strong, Some(SymbolKind::Data));
    check(Mark { kind: elf::STT_TLS, ..base }, here, strong, Some(SymbolKind::ThreadLocal));
    check(Mark { section: elf::SHN_ABS, ..base }, Place::Absolute(4), strong, function);
    check(
        Mark { section: elf::SHN_COMMON, kind: elf::STT_OBJECT, ..base },
        Place::Common { align: 4 },
        Binding::Global(Linkage::Common),
        Some(SymbolKind::Data),
    );
    check(
        Mark { section: 0xff02, kind: elf::STT_OBJECT, ..base },
        Place::Common { align: 4 },
        Binding::Global(Linkage::Common),
        Some(SymbolKind::Data),
    );
    let undefined = Mark::undefined("f");
    check(undefined, Place::Undefined, strong, None);
    check(Mark { bind: elf::STB_WEAK, ..undefined }, Place::Undefined, weak, None);
}

#[test]
fn visibility_is_read() {
    let check = |visibility, expected| {
        let mark = Mark { visibility, ..Mark::function("f", 1, 0, 1) };
        let sample = Sample { parts: vec![Part::code(&[0xc3])], marks: vec![mark] };
        assert_eq!(check(&sample).symbols[1].visibility, expected);
    };
    check(elf::STV_DEFAULT, Visibility::Default);
    check(elf::STV_HIDDEN, Visibility::Hidden);
    check(elf::STV_INTERNAL, Visibility::Hidden);
    check(elf::STV_PROTECTED, Visibility::Protected);
}

#[test]
fn comdat_groups_name_their_members() {
    let parts = vec![Part::comdat(1, &[2]), Part::code(&[0xc3]), Part::new(".rodata", 0, &[1])];
    let graph = check(&Sample { parts, marks: vec![Mark::function("f", 2, 0, 1)] });
    assert_eq!(graph.groups, ["f".into()]);
    let groups: Vec<_> = graph.sections.iter().map(|section| section.group).collect();
    assert_eq!(groups, [Some(0), None]);
}

#[test]
fn edges_outside_their_section_are_refused() {
    let check = |offset, kind, is_fine| {
        let mut sample = caller();
        sample.parts[0].relocations = vec![(offset, kind, 2, 0)];
        match is_fine {
            true => drop(check(&sample)),
            false => check_refused(&sample.bytes(), &format!("relocation at {offset:#x}")),
        }
    };
    check(2, elf::R_X86_64_PLT32, true);
    check(3, elf::R_X86_64_PLT32, false);
    check(5, elf::R_X86_64_8, true);
    check(6, elf::R_X86_64_8, false);
    check(6, elf::R_X86_64_NONE, true);
    check(7, elf::R_X86_64_NONE, false);
    check(u64::MAX - 1, elf::R_X86_64_64, false);
}

#[test]
fn damage_is_refused() {
    let check = |change: &dyn Fn(&mut Sample), what| {
        let mut sample = caller();
        change(&mut sample);
        check_refused(&sample.bytes(), what);
    };
    check(&|s| s.parts[0].relocations[0].2 = 3, "relocation of symbol 3 of 3");
    check(&|s| s.parts[0].align = 3, "alignment 0x3");
    check(&|s| s.parts[0].align = 1 << 40, "alignment 0x10000000000");
    check(&|s| s.parts[0].size = Some(1 << 20), "");
    check(&|s| s.parts[0].size = Some(u64::MAX), "");
    check(&|s| s.parts.push(Part { kind: elf::SHT_REL, info: 1, ..Part::code(&[]) }), "addends");
    check(&|s| s.parts.push(Part { kind: elf::SHT_CREL, info: 1, ..Part::code(&[]) }), "compact");
    check(&|s| s.parts.push(Part::comdat(9, &[1])), "");
}

#[test]
fn other_files_are_refused() {
    let check = |at: usize, byte, what| {
        let mut bytes = caller().bytes();
        bytes[at] = byte;
        check_refused(&bytes, what);
    };
    check(0, b'M', "");
    check(4, elf::ELFCLASS32, "");
    check(5, elf::ELFDATA2MSB, "");
    check(16, elf::ET_EXEC as u8, "not a relocatable");
    check(16, elf::ET_DYN as u8, "not a relocatable");
    check(18, elf::EM_RISCV as u8, "an unknown machine (243)");
    check_refused(b"", "");
}

#[test]
fn objects_for_any_known_machine_are_read() {
    let mut bytes = caller().bytes();
    assert_eq!(read(&bytes).unwrap().isa.name, "x86_64");
    bytes[18] = elf::EM_AARCH64 as u8;
    let graph = read(&bytes).unwrap();
    assert_eq!(graph.isa.name, "aarch64");
    assert!(graph.to_string().contains("0001: relocation 4 callee"), "{graph}");
}

#[test]
fn every_shorter_file_is_refused() {
    let bytes = caller().bytes();
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
    }
}

proptest! {
    #[test]
    fn damaged_objects_are_graphs_or_errors(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = caller().bytes();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        match read(&bytes) {
            // Of one without sections there is nothing to tell.
            Ok(graph) => {
                let count = graph.sections.len();
                prop_assert!(count <= 6 && (count == 0 || !graph.to_string().is_empty()));
            }
            Err(error) => prop_assert!(error.is_input()),
        }
    }

    #[test]
    fn edges_survive(
        edges in prop::collection::vec((0u64..56, 0u32..64, 0u32..3, any::<i64>()), 0..32),
    ) {
        let mut sample = caller();
        sample.parts[0].bytes = vec![0x90; 64];
        sample.parts[0].relocations = edges.clone();
        let graph = check(&sample);
        let found: Vec<_> = graph.sections[0]
            .edges
            .iter()
            .map(|edge| (edge.offset, edge.kind.0, edge.target as u32, edge.addend))
            .collect();
        prop_assert_eq!(found, edges);
    }
}
