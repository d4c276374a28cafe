//! What linking made of a graph, with places instead of addresses.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use iced_x86::{
    Decoder, DecoderOptions, Formatter, GasFormatter, Instruction, OpKind, SymbolResolver,
    SymbolResult,
};
use vmkit::graph::{Edge, LinkGraph, SectionKind};
use vmkit::listener::{Linked, Listener};
use vmkit::target::{Base, Isa, Term};
use vmkit::{Addr, Name, Session, SymbolId};

use crate::case::Directives;

/// Zones begin at page boundaries, and golden tests are smaller than a page.
const PAGE: u64 = 4096;

/// What linking told of.
#[derive(Default)]
struct Record {
    stubs: Mutex<BTreeMap<u64, String>>,
    sections: Mutex<Vec<Section>>,
}

/// A section in its place.
struct Section {
    name: String,
    kind: SectionKind,
    address: u64,
    bytes: Vec<u8>,
    edges: Vec<Edge>,
}

impl Listener for Record {
    fn linked(&self, event: &Linked<'_>) {
        let placed = event.graph.sections.iter().zip(&event.sections);
        let placed = placed.filter_map(|(section, loaded)| {
            let loaded = loaded.as_ref()?;
            Some(Section {
                name: full_name(event.graph, &section.name),
                kind: section.kind,
                address: loaded.address.0,
                bytes: loaded.bytes.to_vec(),
                edges: section.edges.clone(),
            })
        });
        self.sections.lock().expect("no test panics here").extend(placed);
    }

    fn stubbed(&self, _: SymbolId, name: &Name, at: Addr, _: u64) {
        self.stubs.lock().expect("no test panics here").insert(at.0, name.to_string());
    }
}

/// Links an object as a whole, and tells what became of it.
pub(crate) fn link(directives: &Directives, object: &[u8]) -> String {
    match try_link(directives, object) {
        Ok(text) => text,
        Err(error) => format!("error: {}\n", without_addresses(&error.to_string())),
    }
}

fn try_link(directives: &Directives, object: &[u8]) -> vmkit::Result<String> {
    let record = Arc::new(Record::default());
    let mut builder = Session::builder().whole_process(false).compile_threads(1);
    if let Some(reach) = directives.reach {
        builder = builder.reach(reach);
    }
    let session = builder.listener(record.clone()).build()?;
    let mut externs = BTreeMap::new();
    for (name, address) in &directives.externs {
        session.define_absolute(name, *address)?;
        externs.insert(address.0, name.clone());
    }
    let loaded = session.add_object("input.o", object)?;
    session.compile(loaded.unit)?;
    let sections = std::mem::take(&mut *record.sections.lock().expect("no test panics here"));
    let stubs = record.stubs.lock().expect("no test panics here").clone();
    let map = Map { externs, stubs, sections };
    let mut text = String::new();
    for section in &map.sections {
        map.describe(&mut text, section);
    }
    for (priority, address) in session.structors().constructors {
        text += &format!("constructor {priority}: {}\n", map.place(address.0));
    }
    for (priority, address) in session.structors().destructors {
        text += &format!("destructor {priority}: {}\n", map.place(address.0));
    }
    Ok(text)
}

/// Names of addresses.
struct Map {
    externs: BTreeMap<u64, String>,
    stubs: BTreeMap<u64, String>,
    sections: Vec<Section>,
}

impl Map {
    fn describe(&self, text: &mut String, section: &Section) {
        let zone = match section.kind {
            SectionKind::Code => "code",
            SectionKind::Data | SectionKind::Init(_) | SectionKind::Fini(_) => "data",
            _ => "read-only",
        };
        *text += &format!("section {} at {zone}+{:#x}\n", section.name, section.address % PAGE);
        if section.kind == SectionKind::Code {
            self.instructions(text, section);
        } else {
            self.words(text, section);
        }
    }

    fn instructions(&self, text: &mut String, section: &Section) {
        let mut decoder =
            Decoder::with_ip(64, &section.bytes, section.address, DecoderOptions::NONE);
        let mut formatter = GasFormatter::with_options(Some(Box::new(self.clone_names())), None);
        while decoder.can_decode() {
            let instruction = decoder.decode();
            let mut line = String::new();
            formatter.format(&instruction, &mut line);
            let _ = writeln!(text, "  {:04x}: {line}", instruction.ip() - section.address);
        }
    }

    /// The bytes that no edge wrote, and what the edges wrote.
    fn words(&self, text: &mut String, section: &Section) {
        let edge_at = |at: usize| section.edges.iter().find(|edge| edge.offset == at as u64);
        let (mut at, mut line) = (0, String::new());
        while at < section.bytes.len() {
            let written = edge_at(at).map_or(0, size);
            if (written != 0 || at % 16 == 0) && !line.is_empty() {
                *text += &format!("{line}\n");
                line.clear();
            }
            if let Some(edge) = edge_at(at).filter(|_| written != 0) {
                *text += &format!("  {at:04x}: {}\n", self.value(section, edge));
                at += written;
                continue;
            }
            if line.is_empty() {
                line = format!("  {at:04x}:");
            }
            let _ = write!(line, " {:02x}", section.bytes[at]);
            at += 1;
        }
        if !line.is_empty() {
            *text += &format!("{line}\n");
        }
    }

    /// What an edge wrote.
    fn value(&self, section: &Section, edge: &Edge) -> String {
        let row = Isa::NATIVE.edge(edge.kind.0).expect("it was linked");
        let at = edge.offset as usize;
        let mut bytes = [0; 8];
        bytes[..size(edge)].copy_from_slice(&section.bytes[at..at + size(edge)]);
        let raw = u64::from_le_bytes(bytes);
        let signed =
            if row.field.size == 4 { i64::from(raw as u32 as i32) } else { raw.cast_signed() };
        let place = section.address + edge.offset;
        let what = match (row.term, row.base) {
            (Term::Address, Base::Zero) => self.place(raw),
            (Term::Address | Term::Call | Term::Slot | Term::ThreadPair, Base::Place) => {
                format!("{} - .", self.place(place.wrapping_add_signed(signed)))
            }
            _ => format!("{signed:#x}"),
        };
        format!("{what} ({})", row.name)
    }

    /// The name of an address, or what can be found there.
    fn place(&self, address: u64) -> String {
        if let Some(known) = self.known(address) {
            return known;
        }
        if let Some(thunk) = read::<14>(address)
            && thunk[..6] == [0xff, 0x25, 0, 0, 0, 0]
        {
            let to = u64::from_le_bytes(thunk[6..].try_into().expect("eight bytes"));
            return format!("thunk({})", self.known(to).unwrap_or("?".into()));
        }
        // A label at the end of a section.
        let end = |section: &&Section| section.address + section.bytes.len() as u64 == address;
        if let Some(section) = self.sections.iter().find(end) {
            return format!("{}+{:#x}", section.name, section.bytes.len());
        }
        let word = |at| read::<8>(at).map(u64::from_le_bytes);
        match (word(address), word(address + 8)) {
            (Some(module), Some(offset)) if module >> 63 != 0 => format!("pair({offset:#x})"),
            (Some(value), _) => format!("slot({})", self.known(value).unwrap_or("?".into())),
            _ => format!("{address:#x}"),
        }
    }

    fn known(&self, address: u64) -> Option<String> {
        if address < PAGE {
            return Some(format!("{address:#x}"));
        }
        match self.externs.range(..=address).next_back() {
            Some((at, name)) if *at == address => return Some(name.clone()),
            Some((at, name)) if address - at < 0x100 => {
                return Some(format!("{name}+{:#x}", address - at));
            }
            _ => {}
        }
        if let Some(name) = self.stubs.get(&address) {
            return Some(format!("stub({name})"));
        }
        let holds = |section: &&Section| {
            (section.address..section.address + section.bytes.len() as u64).contains(&address)
        };
        let found = self.sections.iter().find(holds);
        found.map(|section| format!("{}+{:#x}", section.name, address - section.address))
    }

    fn clone_names(&self) -> Self {
        let bare = |section: &Section| Section {
            name: section.name.clone(),
            kind: section.kind,
            address: section.address,
            bytes: section.bytes.clone(),
            edges: Vec::new(),
        };
        Self {
            externs: self.externs.clone(),
            stubs: self.stubs.clone(),
            sections: self.sections.iter().map(bare).collect(),
        }
    }
}

impl SymbolResolver for Map {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _: u32,
        operand: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let is_code = operand.is_some_and(|operand| {
            matches!(instruction.op_kind(operand), OpKind::NearBranch64 | OpKind::Memory)
        });
        let name = if is_code { Some(self.place(address)) } else { self.known(address) };
        name.filter(|_| address >= PAGE).map(|name| SymbolResult::with_string(address, name))
    }
}

/// A section's name; before it, which tentative definition it was made for.
fn full_name(graph: &LinkGraph, section: &str) -> String {
    match &*graph.name {
        "input.o" => section.into(),
        name => format!("{name}:{section}"),
    }
}

fn size(edge: &Edge) -> usize {
    Isa::NATIVE.edge(edge.kind.0).map_or(0, |row| usize::from(row.field.size))
}

/// Memory of this process, if there is any at `address`.
fn read<const N: usize>(address: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/proc/self/mem").ok()?.read_exact_at(&mut bytes, address).ok()?;
    Some(bytes)
}

/// The text with `0x?` for the place that differs from run to run.
fn without_addresses(text: &str) -> String {
    let Some((before, after)) = text.split_once(" at 0x") else { return text.to_owned() };
    format!("{before} at 0x?{}", after.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}
