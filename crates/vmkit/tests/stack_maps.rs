//! Stack maps as LLVM writes them, read from an object that is made here.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use vmkit::ScopeId;
use vmkit::graph::{LinkGraph, Section, SectionKind};
use vmkit::metadata::{LiveOut, Location, Place, Record, StackMaps};

const RSP: u16 = 7;
const RBP: u16 = 6;

/// What LLVM makes of `stack_maps.ll`; once for all tests, which run at the same time.
static GRAPH: LazyLock<LinkGraph> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack_maps.ll");
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stack_maps.o");
    let mut command = Command::new("llc-22");
    command.args(["-O2", "-filetype=obj"]).arg(source).arg("-o").arg(&output);
    assert!(command.status().expect("llc-22 must be installed").success());
    let bytes = std::fs::read(output).expect("what llc wrote");
    LinkGraph::from_elf(&"stack_maps.o".into(), ScopeId::GLOBAL, &bytes).expect("a sound object")
});

fn section() -> &'static Section {
    let mut sections = GRAPH.sections.iter();
    sections.find(|section| section.kind == SectionKind::StackMaps).expect("stack maps")
}

fn check(record: &Record, (id, offset): (u64, u32), places: &[Place], live_outs: &[u16]) {
    assert_eq!((record.id, record.offset), (id, offset));
    let locations: Vec<_> = places.iter().map(|&place| Location { place, size: 8 }).collect();
    assert_eq!(record.locations, locations);
    let live_outs: Vec<_> =
        live_outs.iter().map(|&register| LiveOut { register, size: 8 }).collect();
    assert_eq!(record.live_outs, live_outs);
}

#[test]
fn what_llvm_writes_is_read() {
    let section = section();
    let maps = StackMaps::parse("stack_maps.o", &section.bytes).unwrap();

    let names = maps.functions.iter().map(|function| {
        let edge = section.edges.iter().find(|edge| edge.offset == function.address_at as u64);
        GRAPH.symbols[edge.expect("a relocation").target].name.to_string()
    });
    assert_eq!(names.collect::<Vec<_>>(), ["mapped", "patched", "safe"]);
    let sizes: Vec<_> = maps.functions.iter().map(|function| function.stack_size).collect();
    assert_eq!(sizes, [Some(24), Some(24), Some(8)]);

    let [mapped, patched, safe] = &maps.records[..] else { panic!("{:?}", maps.records) };
    let frame_slot = Place::Address { register: RBP, offset: -8 };
    let large = Place::Constant(0x0123_4567_89ab_cdef);
    let places = [Place::Register(5), Place::Constant(7), large, frame_slot, Place::Register(4)];
    check(mapped, (11, 8), &places, &[]);
    check(patched, (u64::MAX - 1, 9), &[Place::Register(5)], &[0, 3, RSP, 12, 13, 14, 15]);
    let (zero, spilled) = (Place::Constant(0), Place::Memory { register: RSP, offset: 0 });
    check(safe, (2_882_400_000, 10), &[zero, zero, zero, spilled, spilled], &[]);
    assert_eq!(maps.records_of(1).collect::<Vec<_>>(), [patched]);
}

#[test]
fn a_section_can_hold_several_tables() {
    let bytes = &section().bytes;
    let one = StackMaps::parse("one", bytes).unwrap();
    let two = StackMaps::parse("two", &[&bytes[..], bytes].concat()).unwrap();
    assert_eq!(two.functions.len(), 2 * one.functions.len());
    let second: Vec<_> = two.records.iter().skip(one.records.len()).map(|r| r.function).collect();
    assert_eq!(second, [3, 4, 5]);
    assert_eq!(two.functions[3].address_at, bytes.len() + one.functions[0].address_at);
}

#[test]
fn every_shorter_section_is_refused() {
    let bytes = &section().bytes;
    for end in 1..bytes.len() {
        let error = StackMaps::parse("cut.o", &bytes[..end]).unwrap_err();
        assert!(error.is_input() && error.to_string().starts_with("cut.o: "), "{error}");
    }
}
