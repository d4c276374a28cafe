//! Real objects, archives and stack maps, damaged at random: read, or refused with an error that
//! names them; never a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use vmkit::graph::{LinkGraph, SectionKind};
use vmkit::metadata::StackMaps;
use vmkit::{Archive, Result, ScopeId};

/// The golden tests' inputs, and one with stack maps, as objects.
static OBJECTS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = fs::read_dir(here.join("../../tests/link/x86_64")).expect("golden tests");
    let mut sources: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
    sources.push(here.join("tests/stack_maps.ll"));
    sources.sort();
    sources.iter().map(|source| compile(source)).collect()
});

static ARCHIVES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| ["gnu", "bsd"].map(archive).into_iter().collect());

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn run(command: &mut Command) {
    let status = command.status().expect("LLVM 22 and clang 22 must be installed");
    assert!(status.success(), "{command:?}");
}

fn compile(source: &Path) -> PathBuf {
    let name = source.file_stem().expect("a file").to_string_lossy();
    let output = scratch(&format!("damage_{name}.o"));
    let is_code = source.extension().is_some_and(|extension| extension == "ll");
    let mut command = Command::new(if is_code { "llc-22" } else { "clang-22" });
    if is_code {
        command.args(["-O2", "-filetype=obj"]);
    } else {
        command.args(["--target=x86_64-linux-gnu", "-c"]);
    }
    run(command.arg(source).arg("-o").arg(&output));
    output
}

fn archive(format: &str) -> Vec<u8> {
    let output = scratch(&format!("damage_{format}.a"));
    drop(fs::remove_file(&output));
    let mut command = Command::new("llvm-ar-22");
    run(command.arg(format!("--format={format}")).arg("rcs").arg(&output).args(&OBJECTS[..4]));
    fs::read(output).expect("what llvm-ar wrote")
}

fn object(index: usize) -> Vec<u8> {
    fs::read(&OBJECTS[index]).expect("an object")
}

/// What happens to bytes.
#[derive(Clone, Debug)]
enum Damage {
    /// A byte becomes another.
    Change(Index, u8),
    /// Eight bytes become a number that is likely to matter.
    Number(Index, u64),
    /// The end is lost.
    Cut(Index),
    /// A piece is lost.
    Lose(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let numbers = prop::sample::select(vec![
        0,
        1,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        1 << 32,
        i64::MAX as u64,
        1 << 63,
        u64::MAX - 7,
        u64::MAX,
    ]);
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        4 => (any::<Index>(), numbers).prop_map(|(at, number)| Damage::Number(at, number)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..32usize).prop_map(|(at, size)| Damage::Lose(at, size)),
    ]
}

fn spoil(mut bytes: Vec<u8>, all: &[Damage]) -> Vec<u8> {
    for damage in all {
        if bytes.len() < 8 {
            break;
        }
        match *damage {
            Damage::Change(at, byte) => *at.get_mut(&mut bytes) = byte,
            Damage::Number(at, number) => {
                let at = at.index(bytes.len() - 7);
                bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Lose(at, size) => {
                let at = at.index(bytes.len());
                let end = bytes.len().min(at + size);
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

fn many() -> impl Strategy<Value = Vec<Damage>> {
    prop::collection::vec(damage(), 1..6)
}

fn graph(bytes: &[u8]) -> Result<LinkGraph> {
    LinkGraph::from_elf(&"input".into(), ScopeId::GLOBAL, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn objects(which in any::<Index>(), damage in many()) {
        let bytes = spoil(object(which.index(OBJECTS.len())), &damage);
        match graph(&bytes) {
            Ok(graph) => {
                let text = graph.to_string();
                let sections = text.lines().filter(|line| line.starts_with("section ")).count();
                prop_assert!(sections >= graph.sections.len());
                prop_assert!(graph.listing().len() <= graph.symbols.len());
            }
            Err(error) => prop_assert!(error.to_string().starts_with("input: "), "{}", error),
        }
    }

    #[test]
    fn archives(which in any::<Index>(), damage in many()) {
        let bytes = spoil(which.get(&ARCHIVES).clone(), &damage);
        match Archive::read("input", bytes) {
            Ok(archive) => {
                for place in archive.definers() {
                    prop_assert!(archive.member(place).is_ok());
                }
            }
            // Of the archive or of a member.
            Err(error) => {
                let text = error.to_string();
                let names_it = ["input: ", "input("].iter().any(|start| text.starts_with(start));
                prop_assert!(names_it, "{}", error);
            }
        }
    }

    #[test]
    fn stack_maps(damage in many()) {
        let is_mapped = |path: &PathBuf| path.ends_with("damage_stack_maps.o");
        let index = OBJECTS.iter().position(is_mapped).expect("an object with stack maps");
        let graph = graph(&object(index)).expect("a sound object");
        let section = graph.sections.iter().find(|s| s.kind == SectionKind::StackMaps);
        let bytes = spoil(section.expect("stack maps").bytes.clone(), &damage);
        match StackMaps::parse("input", &bytes) {
            Ok(maps) => {
                let known = maps.functions.len();
                prop_assert!(maps.records.iter().all(|record| record.function < known));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("input: "), "{}", error),
        }
    }
}

#[test]
fn sound_archives_give_their_members() {
    for bytes in ARCHIVES.iter() {
        let archive = Archive::read("input", bytes.clone()).unwrap();
        let mut members = 0;
        for place in archive.definers() {
            let member = archive.member(place).unwrap();
            let file = OBJECTS.iter().find(|path| {
                let name = path.file_name().expect("a file").to_string_lossy();
                member.name == format!("input({name})")
            });
            assert_eq!(member.bytes, fs::read(file.expect("one of ours")).unwrap());
            members += 1;
        }
        assert_eq!(members, 4);
        assert_eq!(archive.definer(&"no_such_symbol".into()), None);
    }
}
