//! What is known of a graph's functions, read when it is linked.

use std::sync::Arc;

use super::{Call, Function};
use crate::error::Result;
use crate::graph::{Binding, Edge, Noted, Place, Section, SectionKind};
use crate::listener::{self, Linked, Loaded};
use crate::metadata::{CallSites, Handler, Lines, Rules, Span, StackMaps};
use crate::symbol::{Addr, Name};
use crate::target::{Base, Term, native};

impl Function {
    /// Everything that is known of the functions in a graph that was linked, by address.
    ///
    /// # Errors
    ///
    /// Damaged metadata: stack maps, unwind records, call-site tables, headers of debug information.
    pub fn read(event: &Linked<'_>) -> Result<Vec<Self>> {
        let mut functions: Vec<_> =
            event.functions().into_iter().map(|function| bare(event, &function)).collect();
        functions.sort_by_key(|function| function.start);
        if functions.is_empty() {
            return Ok(functions);
        }
        read_calls(event, &mut functions);
        read_labels(event, &mut functions);
        for (number, section) in event.graph.sections.iter().enumerate() {
            match (section.kind, event.sections[number]) {
                (SectionKind::StackMaps, _) => read_points(event, number, &mut functions)?,
                (SectionKind::Unwind, Some(loaded)) => read_rules(event, loaded, &mut functions)?,
                _ => {}
            }
        }
        for function in &mut functions {
            function.call_sites = call_sites(event, function)?;
        }
        read_notes(event, &mut functions);
        if let Some(lines) = lines(event)? {
            let lines = Arc::new(lines);
            functions.iter_mut().for_each(|function| function.lines = Some(lines.clone()));
        }
        Ok(functions)
    }
}

fn bare(event: &Linked<'_>, function: &listener::Function<'_>) -> Function {
    let code = function.address.0..function.address.0.saturating_add(function.size);
    let module = event.graph.name.clone();
    let symbol = function.symbol;
    Function { symbol, ..Function::new(event.unit, function.name.clone(), module, code) }
}

/// The function whose code an address is in.
fn at(functions: &mut [Function], address: u64) -> Option<&mut Function> {
    let after = functions.partition_point(|function| function.start <= address);
    functions[..after].last_mut().filter(|function| function.contains(address))
}

/// Code sections, with where they are.
fn code<'a>(event: &'a Linked<'_>) -> impl Iterator<Item = (usize, &'a Section, Loaded<'a>)> {
    let numbered = event.graph.sections.iter().enumerate();
    let code = numbered.filter(|(_, section)| section.kind == SectionKind::Code);
    code.filter_map(|(number, section)| Some((number, section, event.sections[number]?)))
}

fn read_calls(event: &Linked<'_>, functions: &mut [Function]) {
    for (_, section, loaded) in code(event) {
        for edge in section.edges.iter().filter(|edge| native::is_call(loaded.bytes, edge.offset)) {
            let place = loaded.address.0.wrapping_add(edge.offset);
            if let Some(function) = at(functions, place) {
                function.calls.push(call(event, edge, place));
            }
        }
    }
    functions.iter_mut().for_each(|function| function.calls.sort_by_key(|call| call.returns_to));
}

fn call(event: &Linked<'_>, edge: &Edge, place: u64) -> Call {
    Call {
        returns_to: place.wrapping_add(native::CALL_END),
        callee: event.graph.symbols[edge.target].name.clone(),
        symbol: event.symbols[edge.target].symbol,
    }
}

fn read_labels(event: &Linked<'_>, functions: &mut [Function]) {
    for (symbol, resolved) in event.graph.symbols.iter().zip(&event.symbols) {
        let Place::Section { index, .. } = symbol.place else { continue };
        let is_label = event.graph.sections[index].kind == SectionKind::Code
            && symbol.binding == Binding::Graph
            && !symbol.name.bytes().is_empty();
        let address = resolved.address.filter(|_| is_label).map(|address| address.0);
        let Some(function) = address.and_then(|address| at(functions, address)) else { continue };
        let address = address.unwrap_or_default();
        if function.start != address || function.name != symbol.name {
            function.labels.push((address, symbol.name.clone()));
        }
    }
    read_taken(event, functions);
    let by_place =
        |a: &(u64, Name), b: &(u64, Name)| a.0.cmp(&b.0).then_with(|| a.1.bytes().cmp(b.1.bytes()));
    for function in functions {
        function.labels.sort_by(by_place);
        function.labels.dedup();
    }
}

/// Labels whose addresses are in data, or are loaded by code.
fn read_taken(event: &Linked<'_>, functions: &mut [Function]) {
    for section in &event.graph.sections {
        for edge in &section.edges {
            let isa = event.graph.isa;
            let row = isa.edge(edge.kind.0).filter(|row| row.term == Term::Address);
            let address = match (section.kind, row.map(|row| (row.base, row.field.size))) {
                (SectionKind::Data | SectionKind::ReadOnly, Some((Base::Zero, 8))) => {
                    label(event, edge, 0)
                }
                (SectionKind::Code, Some((Base::Place | Base::Page, 4))) => {
                    label(event, edge, isa.counted_from)
                }
                _ => None,
            };
            let Some(address) = address else { continue };
            if let Some(function) = at(functions, address).filter(|found| found.start != address) {
                function.labels.push((address, Name::from("")));
            }
        }
    }
}

/// The place in the graph's own code that an edge leads to, counted from `before` the end of its bytes.
fn label(event: &Linked<'_>, edge: &Edge, before: u64) -> Option<u64> {
    let Place::Section { index, .. } = event.graph.symbols[edge.target].place else { return None };
    let is_code = event.graph.sections[index].kind == SectionKind::Code;
    let address = event.symbols[edge.target].address.filter(|_| is_code)?;
    Some(address.0.wrapping_add_signed(edge.addend).wrapping_add(before))
}

fn read_points(event: &Linked<'_>, section: usize, functions: &mut [Function]) -> Result<()> {
    let maps = StackMaps::parse(event.graph.name.clone(), &event.relocated(section))?;
    for (index, mapped) in maps.functions.iter().enumerate() {
        let Some(function) = at(functions, mapped.address) else { continue };
        function.stack_size = mapped.stack_size;
        let records = maps.records_of(index);
        function
            .add_points(records.map(|r| (mapped.address.wrapping_add(r.offset.into()), r.clone())));
    }
    Ok(())
}

fn read_notes(event: &Linked<'_>, functions: &mut [Function]) {
    let notes = event.graph.notes.iter().filter_map(|note| {
        let section = event.sections[note.section]?;
        Some((section.address.0, section.address.offset(note.offset.cast_signed()).0, &note.what))
    });
    let mut handlers = Vec::new();
    for (section, address, what) in notes {
        // A call can be the last instruction of its function.
        let is_call = !matches!(what, Noted::Trap(_) | Noted::Tags { is_call: false, .. });
        let place = address.wrapping_sub(u64::from(is_call));
        let Some(function) = at(functions, place) else { continue };
        match what {
            Noted::Record(record) => function.points.push((address, record.clone())),
            Noted::Trap(why) => function.traps.push((address, *why)),
            Noted::Tags { is_call, tags } => {
                function.tags.push((address, *is_call, tags.clone().into()));
            }
            &Noted::Handler { pad, number, context } => {
                let pad = section.wrapping_add(pad);
                let handler = Handler { returns_to: address, pad, number, context };
                handlers.push((function.start, handler));
            }
        }
    }
    for function in functions {
        function.points.sort_by_key(|(address, _)| *address);
        function.traps.sort_by_key(|(address, _)| *address);
        function.tags.sort_by_key(|(address, is_call, _)| (*address, *is_call));
        let own = handlers.iter().filter(|(start, _)| *start == function.start);
        let own: Vec<_> = own.map(|(_, handler)| *handler).collect();
        if !own.is_empty() {
            function.call_sites = Some(CallSites::new(function.start..function.end, own));
        }
    }
}

fn read_rules(event: &Linked<'_>, loaded: Loaded<'_>, functions: &mut [Function]) -> Result<()> {
    for rules in Rules::parse(event.graph.name.clone(), span(loaded))? {
        // Records of code that was left out are about no function.
        if let Some(function) = at(functions, rules.start) {
            function.rules = Some(rules);
        }
    }
    Ok(())
}

fn span(loaded: Loaded<'_>) -> Span<'_> {
    Span { address: loaded.address.0, bytes: loaded.bytes }
}

fn call_sites(event: &Linked<'_>, function: &Function) -> Result<Option<CallSites>> {
    // Who notes handlers has tables in a form of its own, if any.
    if event.graph.notes.iter().any(|note| matches!(note.what, Noted::Handler { .. })) {
        return Ok(None);
    }
    let Some(table) = function.rules.as_ref().and_then(|rules| rules.table) else {
        return Ok(None);
    };
    let Some(section) = section_at(event, table) else { return Ok(None) };
    let name = event.graph.name.clone();
    let word = |address| word(event, address);
    CallSites::parse(name, span(section), table, function.start, word).map(Some)
}

fn section_at<'a>(event: &Linked<'a>, address: u64) -> Option<Loaded<'a>> {
    let is_there = |loaded: &&Loaded<'_>| {
        let Addr(start) = loaded.address;
        address.checked_sub(start).is_some_and(|offset| offset < loaded.bytes.len() as u64)
    };
    event.sections.iter().flatten().find(is_there).copied()
}

/// What the graph's own memory holds at an address.
fn word(event: &Linked<'_>, address: u64) -> Option<u64> {
    let section = section_at(event, address)?;
    let offset = usize::try_from(address - section.address.0).ok()?;
    let bytes = section.bytes.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The graph's debug information, if it has any.
fn lines(event: &Linked<'_>) -> Result<Option<Lines>> {
    let sections = &event.graph.sections;
    let find = |name: &str| sections.iter().position(|section| section.name == name);
    if find(".debug_info").is_none() {
        return Ok(None);
    }
    let section = |name: &str| find(name).map(|number| event.relocated(number));
    Lines::parse(event.graph.name.clone(), section).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{LinkGraph, Note, Symbol};
    use crate::listener::Resolved;
    use crate::metadata::{Location, Record, Tag};
    use crate::symbol::{Linkage, SymbolId, SymbolKind, Visibility};

    const CODE: u64 = 0x4000;

    fn symbol(name: &str, offset: u64) -> Symbol {
        Symbol {
            name: name.into(),
            place: Place::Section { index: 0, offset },
            binding: Binding::Global(Linkage::Strong),
            visibility: Visibility::Default,
            kind: Some(SymbolKind::Function),
            size: 16,
        }
    }

    fn note(offset: u64, what: Noted) -> Note {
        Note { section: 0, offset, what }
    }

    #[test]
    fn notes_go_to_the_functions_they_are_about() {
        let section = Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align: 16,
            size: 32,
            bytes: vec![0x90; 32],
            edges: Vec::new(),
            group: None,
        };
        let symbols = vec![symbol("first", 0), symbol("second", 16)];
        let mut graph = LinkGraph::of_section("test".into(), section, symbols);
        let place = crate::metadata::Place::Constant(5);
        let locations = vec![Location { place, size: 8 }];
        let record = Record { function: 0, id: 0, offset: 0, locations, live_outs: Vec::new() };
        graph.notes = vec![
            // The first one's last instruction is a call.
            note(16, Noted::Record(record.clone())),
            note(16, Noted::Handler { pad: 4, number: Some(3), context: None }),
            note(16, Noted::Trap(7)),
            // One is about that call, another about what comes next, if it is ever reached.
            note(16, Noted::Tags { is_call: false, tags: vec![Tag::Number(2)] }),
            note(16, Noted::Tags { is_call: true, tags: vec![Tag::Number(1)] }),
        ];
        let bytes = &[0x90; 32];
        let sections = vec![Some(Loaded { address: Addr(CODE), bytes })];
        let symbols = vec![Resolved::default(); 2];
        let event = Linked { unit: SymbolId(0), graph: &graph, sections, symbols };
        let functions = Function::read(&event).unwrap();
        let [first, second] = &functions[..] else { panic!("{functions:?}") };
        assert_eq!(first.points(), [(CODE + 16, record)]);
        let table = first.call_sites.as_ref().unwrap();
        assert_eq!(table.at(CODE + 15).unwrap().landing_pad, Some(CODE + 4));
        assert_eq!((first.trap(CODE + 16), second.trap(CODE + 16)), (None, Some(7)));
        assert_eq!(first.tags(CODE + 16, true), [Tag::Number(1)]);
        assert_eq!(second.tags(CODE + 16, false), [Tag::Number(2)]);
        assert!(first.tags(CODE + 16, false).is_empty() && second.tags(CODE, true).is_empty());
        assert!(second.points().is_empty() && second.call_sites.is_none());
    }
}
