//! Sections of objects whose names are C identifiers: of all modules they become one piece, between
//! `__start_NAME` and `__stop_NAME`. Data is linked apart from the object that brings it for that, code
//! only placed apart.

use rustc_hash::FxHashMap;

use super::{WHOLE, descriptor, local_name, refer_to};
use crate::definition::{Alias, Definition};
use crate::error::Result;
use crate::graph::{Binding, LinkGraph, Place, Section, SectionKind, Symbol};
use crate::link::Linker;
use crate::symbol::{Linkage, Name, ScopeId, SymbolId, SymbolKind, Visibility};

/// A section that belongs to a set: its index in the object, and the symbol that stands for it.
pub(super) struct Member {
    section: usize,
    id: SymbolId,
}

/// Has the sections that belong to sets join them, the first one under the key 1, and makes the
/// object's symbols in them references.
pub(super) fn join(linker: &Linker, graph: &mut LinkGraph) -> Result<Vec<Member>> {
    let sections = (0..graph.sections.len()).filter(|&index| is_in_set(&graph.sections[index]));
    let join = |(key, section): (u64, usize)| {
        let set = Name::from(&*graph.sections[section].name);
        let id = linker.private(graph.scope, &local_name(graph, &set, "section", section), key);
        let extent = (graph.sections[section].size, graph.sections[section].align);
        linker.add_to_set(set, id, extent);
        Member { section, id }
    };
    let members: Vec<_> = (WHOLE + 1..).zip(sections).map(join).collect();
    for number in 0..graph.symbols.len() {
        let Place::Section { index, offset } = graph.symbols[number].place else { continue };
        if let Ok(member) = members.binary_search_by_key(&index, |member| member.section) {
            move_symbol(linker, graph, number, (members[member].id, offset))?;
        }
    }
    Ok(members)
}

/// Has the code that belongs to sets join them.
pub(super) fn join_code(linker: &Linker, graph: &mut LinkGraph) {
    for index in 0..graph.sections.len() {
        let section = &graph.sections[index];
        if section.kind != SectionKind::Code || !has_set_name(section) {
            continue;
        }
        let (set, size, align) = (Name::from(&*section.name), section.size, section.align);
        let id = linker.private(graph.scope, &local_name(graph, &set, "section", index), WHOLE);
        linker.add_code_to_set(set.clone(), id, size, align);
        graph.symbols.push(Symbol {
            name: set,
            place: Place::Section { index, offset: 0 },
            binding: Binding::Session(id, Linkage::Strong),
            visibility: Visibility::Hidden,
            kind: Some(SymbolKind::Data),
            size,
        });
    }
}

fn is_in_set(section: &Section) -> bool {
    matches!(section.kind, SectionKind::Data | SectionKind::ReadOnly) && has_set_name(section)
}

fn has_set_name(section: &Section) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let name = section.name.as_bytes();
    let is_first = |byte: &u8| is_word(byte) && !byte.is_ascii_digit();
    section.size > 0 && name.first().is_some_and(is_first) && name.iter().all(is_word)
}

/// Makes a symbol a reference to a place in a member.
fn move_symbol(
    linker: &Linker,
    graph: &mut LinkGraph,
    number: usize,
    (target, offset): (SymbolId, u64),
) -> Result<()> {
    let symbol = &graph.symbols[number];
    let (scope, name) = match symbol.binding {
        Binding::Global(_) => (ScopeId::GLOBAL, symbol.name.clone()),
        _ if offset == 0 => {
            refer_to(&mut graph.symbols[number], target);
            return Ok(());
        }
        _ => (graph.scope, local_name(graph, &symbol.name, "local", number)),
    };
    let alias = Alias { target, offset: offset.cast_signed(), body: None };
    let definition = Definition::Alias(Box::new(alias));
    let (id, _) = linker.table.define(scope, &descriptor(symbol, name), definition)?;
    refer_to(&mut graph.symbols[number], id);
    Ok(())
}

/// Takes a member's section out of the object's graph, into one of its own.
pub(super) fn take(linker: &Linker, whole: &mut LinkGraph, member: &Member) -> LinkGraph {
    let section = &mut whole.sections[member.section];
    let mut own = Section {
        name: section.name.clone(),
        bytes: std::mem::take(&mut section.bytes),
        edges: std::mem::take(&mut section.edges),
        group: None,
        ..*section
    };
    (section.kind, section.size) = (SectionKind::Unloaded, 0);
    let mut symbols = vec![Symbol {
        name: Name::from(&*own.name),
        place: Place::Section { index: 0, offset: 0 },
        binding: Binding::Session(member.id, Linkage::Strong),
        visibility: Visibility::Hidden,
        kind: Some(SymbolKind::Data),
        size: own.size,
    }];
    let mut numbers = FxHashMap::default();
    for edge in &mut own.edges {
        edge.target = *numbers.entry(edge.target).or_insert_with(|| {
            symbols.push(reference(linker, whole, edge.target));
            symbols.len() - 1
        });
    }
    let mut graph = LinkGraph::of_section(whole.name.clone(), own, symbols);
    graph.scope = whole.scope;
    graph
}

/// What a symbol of the object's is to what is linked apart from it. Where private ones are gets a
/// symbol of the session's for that.
fn reference(linker: &Linker, whole: &mut LinkGraph, number: usize) -> Symbol {
    let mut symbol = whole.symbols[number].clone();
    if !matches!(symbol.place, Place::Section { .. }) {
        return symbol;
    }
    if symbol.binding == Binding::Graph {
        let id =
            linker.private(whole.scope, &local_name(whole, &symbol.name, "local", number), WHOLE);
        symbol.binding = Binding::Session(id, Linkage::Strong);
        whole.symbols.push(Symbol { name: Name::new([]), ..symbol.clone() });
    }
    Symbol { place: Place::Undefined, ..symbol }
}

#[cfg(test)]
mod tests {
    use object::elf;

    use crate::graph::sample::{Mark, Part, Sample, pointer};
    use crate::session::Session;

    /// An object with so many bytes in a section, a label after the first of them, and a pointer to the
    /// bound of a set.
    fn object(section: &'static str, bytes: &[u8], bound: &'static str) -> Vec<u8> {
        let set = Part { align: 1, ..Part::new(section, elf::SHF_WRITE, bytes) };
        let relocations = vec![(0, pointer(), 2, 0)];
        let pointer = Part { relocations, ..Part::new(".data", elf::SHF_WRITE, &[0; 8]) };
        let label = Mark { kind: elf::STT_OBJECT, ..Mark::function("label", 1, 1, 1) };
        let marks = vec![Mark { bind: elf::STB_WEAK, ..label }, Mark::undefined(bound)];
        Sample { parts: vec![set, pointer], marks }.native_bytes()
    }

    fn session() -> Session {
        Session::builder().whole_process(false).compile_threads(1).build().unwrap()
    }

    #[test]
    fn a_set_is_one_piece() {
        let session = session();
        session.add_object("a.o", &object("set", &[1, 2, 3], "__start_set")).unwrap();
        session.add_object("b.o", &object("set", &[4, 5], "__stop_set")).unwrap();
        let address = |name| session.address(session.symbol(name)).unwrap();
        let (start, stop) = (address("__start_set"), address("__stop_set"));
        assert_eq!(stop.0 - start.0, 5);
        assert_eq!(address("label"), start.offset(1));
    }

    /// An object whose code is in a section and in another one, with a function in each.
    fn object_with_code(section: &'static str, names: [&'static str; 2]) -> Vec<u8> {
        let set = Part { name: section, ..Part::code(&[0xc3; 5]) };
        let marks = vec![Mark::function(names[0], 1, 0, 5), Mark::function(names[1], 2, 0, 3)];
        Sample { parts: vec![set, Part::code(&[0xc3; 3])], marks }.native_bytes()
    }

    #[test]
    fn a_set_of_code_is_one_piece() {
        let session = session();
        let names = [["a", "a_apart"], ["b", "b_apart"], ["c", "c_apart"]];
        for names in names {
            session.add_object(names[0], &object_with_code("funcs", names)).unwrap();
        }
        session.add_object("d.o", &object("set", &[1], "__start_funcs")).unwrap();
        session.add_object("e.o", &object("set", &[1], "__stop_funcs")).unwrap();
        session.compile(session.symbol("b_apart")).unwrap();
        let address = |name| session.address(session.symbol(name)).unwrap();
        let bounds = address("__start_funcs")..address("__stop_funcs");
        for [inside, outside] in names {
            assert!(bounds.contains(&address(inside)), "{inside}");
            assert!(!bounds.contains(&address(outside)), "{outside}");
        }
    }

    #[test]
    fn other_sections_are_in_no_set() {
        for section in [".set", "a.set", "1set", ""] {
            let session = session();
            let bytes = object(section, &[1, 2], "__start_set");
            let loaded = session.add_object("a.o", &bytes).unwrap();
            let error = session.compile(loaded.unit).unwrap_err();
            assert!(error.is_undefined(), "{section}: {error}");
        }
    }
}
