//! What a graph for another machine becomes at the addresses that a linker chose, beside what that
//! linker made of it.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use object::LittleEndian;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader, SectionHeader, Sym};
use vmkit::Name;
use vmkit::graph::{Hex, Image, Layout, LinkGraph, Section, SectionKind};
use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::InstDecoder;

use crate::case::Directives;

type Header = FileHeader64<LittleEndian>;
const LE: LittleEndian = LittleEndian;
/// How the linker's names of thunks begin.
const THUNK: &str = "__AArch64AbsLongThunk_";
/// What lies before the thread-local block of an executable (psABI, "Static TLS").
const THREAD_HEADER: u64 = 16;

/// A linked file: its sections with their addresses and bytes, and its symbols.
struct Linked {
    sections: HashMap<String, (u64, Vec<u8>)>,
    symbols: Vec<(String, u64)>,
}

/// Links an object with `ld.lld` and fixes its graph up at the same addresses: what became of it, if
/// both agree on every byte.
pub(crate) fn link(directives: &Directives, object: &Path) -> Result<String, String> {
    let bytes = fs::read(object).map_err(|error| error.to_string())?;
    let graph = LinkGraph::from_elf(&"input.o".into(), vmkit::ScopeId::GLOBAL, &bytes)
        .map_err(|error| error.to_string())?;
    let linked = match directives.lld.as_deref() {
        Some("none") => Linked { sections: alone(&graph), symbols: Vec::new() },
        flags => lld(directives, flags.unwrap_or_default(), object)?,
    };
    let layout = layout(directives, &graph, &linked);
    let image = match graph.image(&layout) {
        Ok(image) => image,
        Err(error) => return Ok(format!("error: {error}\n")),
    };
    if directives.lld.as_deref() != Some("none") {
        compare(&graph, &image, &layout, &linked)?;
    }
    Ok(describe(&graph, &image, &layout))
}

/// Sections where no linker put them.
fn alone(graph: &LinkGraph) -> HashMap<String, (u64, Vec<u8>)> {
    let numbered = graph.sections.iter().zip(1..);
    numbered.map(|(section, n)| (section.name.to_string(), (n << 24, Vec::new()))).collect()
}

fn lld(directives: &Directives, flags: &str, object: &Path) -> Result<Linked, String> {
    let output = object.with_extension("out");
    let mut command = Command::new("ld.lld-22");
    command.args(["-e", "main", "-z", "separate-code"]).args(flags.split_whitespace());
    for (name, address) in &directives.externs {
        command.arg(format!("--defsym={name}={:#x}", address.0));
    }
    let result = command.arg(object).arg("-o").arg(&output).output();
    let result = result.map_err(|error| format!("ld.lld-22: {error}"))?;
    if !result.status.success() {
        return Err(String::from_utf8_lossy(&result.stderr).into_owned());
    }
    let data = fs::read(&output).map_err(|error| error.to_string())?;
    read(&data).map_err(|error| error.to_string())
}

fn read(data: &[u8]) -> object::read::Result<Linked> {
    let header = Header::parse(data)?;
    let sections = header.sections(LE, data)?;
    let mut linked = Linked { sections: HashMap::new(), symbols: Vec::new() };
    for section in sections.iter() {
        let name = String::from_utf8_lossy(sections.section_name(LE, section)?).into_owned();
        let bytes = section.data(LE, data)?.to_vec();
        linked.sections.insert(name, (section.sh_addr(LE), bytes));
    }
    let symbols = sections.symbols(LE, data, object::elf::SHT_SYMTAB)?;
    for symbol in symbols.iter() {
        let name = String::from_utf8_lossy(symbols.symbol_name(LE, symbol)?).into_owned();
        linked.symbols.push((name, symbol.st_value(LE)));
    }
    Ok(linked)
}

fn layout(directives: &Directives, graph: &LinkGraph, linked: &Linked) -> Layout {
    let place = |section: &Section| {
        let place = linked.sections.get(&*section.name).map(|section| section.0);
        place.filter(|_| section.kind.is_loaded() && section.size > 0)
    };
    let is_thread_local = |section: &&Section| section.kind == SectionKind::ThreadLocal;
    let align = graph.sections.iter().filter(is_thread_local).map(|section| section.align).max();
    let thunks = linked.symbols.iter().filter(|symbol| symbol.0.starts_with(THUNK));
    Layout {
        sections: graph.sections.iter().map(place).collect(),
        symbols: directives.externs.iter().map(|(name, at)| (Name::from(&**name), at.0)).collect(),
        slots: linked.sections.get(".got").map_or(0x1000, |got| got.0),
        thunks: thunks.map(|thunk| thunk.1).min().unwrap_or(0x2000),
        thread_block: THREAD_HEADER.next_multiple_of(align.unwrap_or(1)),
        relaxes: !directives.lld.as_deref().is_some_and(|flags| flags.contains("--no-relax")),
    }
}

/// Are our bytes those of the linker?
fn compare(
    graph: &LinkGraph,
    image: &Image,
    layout: &Layout,
    linked: &Linked,
) -> Result<(), String> {
    let same = |what: &str, at: u64, ours: &[u8]| {
        let holds = |section: &&(u64, Vec<u8>)| {
            at >= section.0 && at + ours.len() as u64 <= section.0 + section.1.len() as u64
        };
        let Some(theirs) = linked.sections.values().find(holds) else {
            return Err(format!("ld.lld has no {what} at {at:#x}"));
        };
        let theirs = &theirs.1[(at - theirs.0) as usize..][..ours.len()];
        match theirs == ours {
            true => Ok(()),
            false => Err(format!("{what}: ld.lld has\n{theirs:02x?}\nand not\n{ours:02x?}")),
        }
    };
    for ((section, bytes), at) in graph.sections.iter().zip(&image.sections).zip(&layout.sections) {
        if let (Some(bytes), Some(at)) = (bytes, at) {
            // Of what is all zero, the file has no bytes.
            let is_zero = section.bytes.is_empty();
            if !is_zero {
                same(&section.name, *at, bytes)?;
            }
        }
    }
    same("thunks", layout.thunks, &image.thunks).or_else(|error| {
        match image.thunks.is_empty() {
            true => Ok(()),
            false => Err(error),
        }
    })?;
    for (slot, at) in image.slots.iter().zip((layout.slots..).step_by(8)) {
        // What the dynamic linker fills in is known to neither.
        if let Err(error) = same("slot", at, &slot.to_le_bytes())
            && same("slot", at, &[0; 8]).is_err()
        {
            return Err(error);
        }
    }
    Ok(())
}

fn describe(graph: &LinkGraph, image: &Image, layout: &Layout) -> String {
    let mut text = String::new();
    for ((section, bytes), at) in graph.sections.iter().zip(&image.sections).zip(&layout.sections) {
        let (Some(bytes), Some(at)) = (bytes, at) else { continue };
        let _ = writeln!(text, "section {} at {at:#x}", section.name);
        match section.kind {
            SectionKind::Code => instructions(&mut text, bytes),
            _ => words(&mut text, bytes),
        }
    }
    if !image.thunks.is_empty() {
        let _ = writeln!(text, "thunks at {:#x}", layout.thunks);
        for thunk in image.thunks.chunks_exact(16) {
            instructions(&mut text, &thunk[..8]);
            words(&mut text, &thunk[8..]);
        }
    }
    if !image.slots.is_empty() {
        let _ = writeln!(text, "slots at {:#x}", layout.slots);
        image.slots.iter().for_each(|slot| text += &format!("  {slot:#x}\n"));
    }
    text
}

fn instructions(text: &mut String, bytes: &[u8]) {
    for (at, word) in (0..).step_by(4).zip(bytes.chunks_exact(4)) {
        let decoded = InstDecoder::default().decode(&mut U8Reader::new(word));
        let decoded = decoded.map_or_else(|_| format!("{word:02x?}"), |found| found.to_string());
        let _ = writeln!(text, "  {at:04x}: {decoded}");
    }
}

fn words(text: &mut String, bytes: &[u8]) {
    let _ = write!(text, "{}", Hex(bytes));
}
