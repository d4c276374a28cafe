//! Who is told of linked code: profilers, debuggers, the virtual machine.
#![forbid(unsafe_code)]

use crate::graph::{Binding, Edge, LinkGraph, Place, SectionKind, Symbol};
use crate::symbol::{Addr, Name, SymbolId, SymbolKind};
use crate::target::Term;

/// Is told of whatever is linked, before anything can run or read it.
///
/// Called on the thread that links, with locks of the session held: it must not call the session.
pub trait Listener: Send + Sync {
    /// A graph has its final addresses and bytes.
    fn linked(&self, event: &Linked<'_>);

    /// Code is about to be freed: nobody runs it any more. Called with no lock held that a look into
    /// the session could want.
    fn unlinked(&self, event: &Unlinked<'_>) {
        let _ = event;
    }

    /// A symbol has got a stub, of `size` bytes at `at`.
    fn stubbed(&self, symbol: SymbolId, name: &Name, at: Addr, size: u64) {
        let _ = (symbol, name, at, size);
    }

    /// The process was forked, and this is the child; it has no other thread yet.
    fn forked(&self) {}
}

/// A graph that was linked.
pub struct Linked<'a> {
    /// The symbol whose definition it is.
    pub unit: SymbolId,
    /// The graph, with its sections' bytes and edges as they were before.
    pub graph: &'a LinkGraph,
    /// Where its sections are, by the graph's numbers; none of those that are not loaded.
    pub sections: Vec<Option<Loaded<'a>>>,
    /// What its symbols are, by the graph's numbers.
    pub symbols: Vec<Resolved>,
}

/// Code that is about to be freed.
#[derive(Clone, Copy, Debug)]
pub struct Unlinked<'a> {
    /// The symbol whose definition it was.
    pub unit: SymbolId,
    /// Where its memory begins, and how many bytes it has: code, and data of its own.
    pub ranges: &'a [(Addr, u64)],
}

/// A section in memory.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    /// Where it is.
    pub address: Addr,
    /// Its final bytes. Branches of its may be sent elsewhere later.
    pub bytes: &'a [u8],
}

/// What a graph's symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resolved {
    /// The session's symbol, if it is one.
    pub symbol: Option<SymbolId>,
    /// Where it is, as far as that is known: of another graph's function, its stub.
    pub address: Option<Addr>,
}

/// A function in a graph that was linked.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// The session's symbol; none of a function that only its own graph can name.
    pub symbol: Option<SymbolId>,
    /// The producer's name of it.
    pub name: &'a Name,
    /// The section it is in.
    pub section: usize,
    /// Where its code is.
    pub address: Addr,
    /// Bytes of code.
    pub size: u64,
}

impl<'a> Linked<'a> {
    /// The functions in the graph, by address. One without a size ends where the next one begins.
    #[must_use]
    pub fn functions(&self) -> Vec<Function<'a>> {
        let numbered = self.graph.symbols.iter().zip(&self.symbols);
        let mut functions: Vec<_> =
            numbered.filter_map(|(symbol, resolved)| self.function(symbol, *resolved)).collect();
        functions.sort_by_key(|function| (function.section, function.address));
        let mut end = (usize::MAX, Addr(0));
        for function in functions.iter_mut().rev() {
            if function.size == 0 {
                let next =
                    if end.0 == function.section { end.1 } else { self.end(function.section) };
                function.size = next.0.saturating_sub(function.address.0);
            }
            end = (function.section, function.address);
        }
        functions
    }

    fn function(&self, symbol: &'a Symbol, resolved: Resolved) -> Option<Function<'a>> {
        let Place::Section { index, offset } = symbol.place else { return None };
        let section = self.sections[index]?;
        let is_named = match symbol.kind {
            Some(SymbolKind::Function | SymbolKind::Indirect) => true,
            // Assembly need not say what its labels are; those of its own are within functions.
            None => symbol.binding != Binding::Graph,
            Some(SymbolKind::Data | SymbolKind::ThreadLocal) => false,
        };
        let is_code = self.graph.sections[index].kind == SectionKind::Code;
        (is_code && is_named && !symbol.name.bytes().is_empty()).then(|| Function {
            symbol: resolved.symbol,
            name: &symbol.name,
            section: index,
            address: section.address.offset(offset.cast_signed()),
            size: symbol.size,
        })
    }

    /// The bytes of a section that is not loaded, such as one of debug information or of stack maps,
    /// with its edges applied. What cannot be told, such as where a thread-local variable is, stays
    /// as it was.
    #[must_use]
    pub fn relocated(&self, section: usize) -> Vec<u8> {
        let section = &self.graph.sections[section];
        let mut bytes = section.bytes.clone();
        for edge in &section.edges {
            let row = self.graph.isa.edge(edge.kind.0).filter(|row| row.term == Term::Address);
            let Some(row) = row else { continue };
            let sum = i128::from(self.value(edge)) + i128::from(edge.addend);
            let value = row.base.value(sum, edge.offset, 0);
            // What does not fit is damaged, and nothing that matters for running.
            let _ = row.write(&mut bytes, edge.offset, value);
        }
        bytes
    }

    /// The address of an edge's symbol. Debug sections refer to one another by offsets in them.
    fn value(&self, edge: &Edge) -> u64 {
        let address = self.symbols[edge.target].address.map(|address| address.0);
        address.unwrap_or_else(|| match self.graph.symbols[edge.target].place {
            Place::Section { index, offset } if !self.graph.sections[index].kind.is_loaded() => {
                offset
            }
            _ => 0,
        })
    }

    fn end(&self, section: usize) -> Addr {
        let size = self.graph.sections[section].size.cast_signed();
        self.sections[section].map_or(Addr(0), |section| section.address.offset(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Section;
    use crate::symbol::{Linkage, Visibility};

    fn symbol(name: &str, kind: Option<SymbolKind>, offset: u64, size: u64) -> Symbol {
        Symbol {
            name: name.into(),
            place: Place::Section { index: 0, offset },
            binding: Binding::Global(Linkage::Strong),
            visibility: Visibility::Default,
            kind,
            size,
        }
    }

    fn check(symbols: Vec<Symbol>, expected: &[(&str, u64, u64)]) {
        let section = Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align: 16,
            size: 0x100,
            bytes: Vec::new(),
            edges: Vec::new(),
            group: None,
        };
        let resolved = vec![Resolved::default(); symbols.len()];
        let graph = LinkGraph::of_section("test".into(), section, symbols);
        let sections = vec![Some(Loaded { address: Addr(0x1000), bytes: &[] })];
        let event = Linked { unit: SymbolId(0), graph: &graph, sections, symbols: resolved };
        let functions = event.functions();
        let found: Vec<_> =
            functions.iter().map(|f| (f.name.to_string(), f.address.0, f.size)).collect();
        let expected: Vec<_> = expected.iter().map(|&(n, a, s)| (n.to_owned(), a, s)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn functions_are_sorted_and_have_a_size() {
        let function = Some(SymbolKind::Function);
        check(
            vec![
                symbol("last", None, 0x80, 0),
                symbol("first", function, 0, 0x20),
                symbol("table", Some(SymbolKind::Data), 0x30, 8),
                symbol("middle", None, 0x40, 0),
            ],
            &[("first", 0x1000, 0x20), ("middle", 0x1040, 0x40), ("last", 0x1080, 0x80)],
        );
    }

    #[test]
    fn labels_within_functions_are_none() {
        let mut label = symbol("loop", None, 8, 0);
        label.binding = Binding::Graph;
        let unnamed = symbol("", Some(SymbolKind::Function), 0, 8);
        check(vec![label, unnamed], &[]);
    }
}
