//! What a graph becomes at given addresses: a pure function, for any instruction set.

use std::collections::HashMap;

use super::{Edge, LinkGraph, Place, Section, fixup};
use crate::error::{Error, Result};
use crate::symbol::Name;
use crate::target::{Row, Term};

/// Where everything is that the edges of a graph ask for.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// By the graph's numbers, where its sections are; none of those that are left out.
    pub sections: Vec<Option<u64>>,
    /// The symbols that the graph does not define.
    pub symbols: HashMap<Name, u64>,
    /// Where slots and pairs begin; each is eight or sixteen bytes.
    pub slots: u64,
    /// Where thunks begin, to what calls do not reach.
    pub thunks: u64,
    /// From the thread pointer to the start of the graph's thread-local block.
    pub thread_block: u64,
    /// Whether loads from slots are rewritten where that can be done.
    pub relaxes: bool,
}

/// A graph whose edges became bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// The bytes of its sections, by the graph's numbers; none of those that were left out.
    pub sections: Vec<Option<Vec<u8>>>,
    /// The words from where slots begin. A pair of a thread-local variable is `{0, offset}`: which
    /// module it is, and by which function it is found, is known where it runs only.
    pub slots: Vec<u64>,
    /// The bytes from where thunks begin.
    pub thunks: Vec<u8>,
}

impl LinkGraph {
    /// Fixes the graph up at the addresses of a layout.
    ///
    /// # Errors
    ///
    /// A symbol that neither the graph nor the layout defines, an unknown kind of edge, a value that
    /// does not fit, a layout of another number of sections.
    pub fn image(&self, layout: &Layout) -> Result<Image> {
        if layout.sections.len() != self.sections.len() {
            return Err(Error::input(self.name.clone(), "a layout of other sections"));
        }
        let image = Image { sections: Vec::new(), slots: Vec::new(), thunks: Vec::new() };
        let mut writer =
            Writer { graph: self, layout, words: HashMap::new(), thunks: HashMap::new(), image };
        for (section, at) in self.sections.iter().zip(&layout.sections) {
            let bytes = at.map(|at| writer.section(section, at)).transpose()?;
            writer.image.sections.push(bytes);
        }
        Ok(writer.image)
    }
}

struct Writer<'a> {
    graph: &'a LinkGraph,
    layout: &'a Layout,
    /// Slots and pairs that there are, by what they hold of which symbol.
    words: HashMap<(Term, usize), u64>,
    /// Thunks that there are, by where they go.
    thunks: HashMap<u64, u64>,
    image: Image,
}

impl Writer<'_> {
    fn section(&mut self, section: &Section, at: u64) -> Result<Vec<u8>> {
        let mut bytes = section.bytes.clone();
        bytes.resize(usize::try_from(section.size).map_err(Error::other)?, 0);
        let relaxes = self.layout.relaxes && fixup::is_relaxable(self.graph, section);
        let mut edges = section.edges.iter().copied();
        while let Some(edge) = edges.next() {
            let row = self.row(edge)?;
            let is_near = |to: u64| to.abs_diff(at.wrapping_add(edge.offset)) < i32::MAX as u64;
            if row.term == Term::SlotLoad && relaxes && is_near(self.address(edge.target)?) {
                let relaxed = fixup::relax(self.graph, &mut bytes, edge);
                if relaxed.len() > 0 {
                    edges.by_ref().take(relaxed.len() - 1).for_each(drop);
                    for edge in relaxed {
                        self.edge(&mut bytes, at, edge)?;
                    }
                    continue;
                }
            }
            self.edge(&mut bytes, at, edge)?;
        }
        Ok(bytes)
    }

    fn row(&self, edge: Edge) -> Result<&'static Row> {
        self.graph.isa.edge(edge.kind.0).ok_or_else(|| {
            let what = format!("relocation type {} is not supported", edge.kind.0);
            Error::input(self.graph.name.clone(), what)
        })
    }

    fn edge(&mut self, bytes: &mut [u8], at: u64, edge: Edge) -> Result<()> {
        let row = self.row(edge)?;
        let place = at.wrapping_add(edge.offset);
        let mut term = self.term(row.term, edge.target)?;
        let value = |term: u64| {
            row.base.value(i128::from(term) + i128::from(edge.addend), place, self.layout.slots)
        };
        if row.term == Term::Call && !row.fits(value(term)) {
            // From the symbol to where in it the call goes.
            let within = edge.addend.wrapping_add_unsigned(self.graph.isa.counted_from);
            term = self.thunk(term.wrapping_add_signed(within)).wrapping_sub_signed(within);
        }
        fixup::write(self.graph, bytes, (edge, place), row, value(term))
    }

    fn term(&mut self, term: Term, target: usize) -> Result<u64> {
        Ok(match term {
            Term::Address | Term::Call => self.address(target)?,
            Term::Slot | Term::SlotLoad => {
                let address = self.address(target)?;
                self.word((Term::Slot, target), &[address])
            }
            Term::Slots => self.layout.slots,
            Term::ThreadPair => {
                let offset = self.thread_offset(target)?;
                self.word((term, target), &[0, offset])
            }
            Term::ThreadDescriptor => {
                let offset = self.thread_offset(target)?;
                self.word((term, target), &[0, offset])
            }
            Term::ThreadModule => self.word((term, 0), &[0, 0]),
            Term::ThreadOffset => self.thread_offset(target)?,
            Term::StaticThreadOffset => {
                self.thread_offset(target)?.wrapping_add(self.layout.thread_block)
            }
            Term::StaticThreadSlot => {
                let offset = self.thread_offset(target)?.wrapping_add(self.layout.thread_block);
                self.word((term, target), &[offset])
            }
            Term::Size => self.graph.symbols[target].size,
            Term::None => 0,
        })
    }

    fn address(&self, target: usize) -> Result<u64> {
        let symbol = &self.graph.symbols[target];
        match symbol.place {
            Place::Absolute(value) => Ok(value),
            Place::Section { index, offset } => {
                Ok(self.layout.sections[index].map_or(0, |at| at.wrapping_add(offset)))
            }
            Place::Undefined | Place::Common { .. } => {
                let known = self.layout.symbols.get(&symbol.name).copied();
                known.ok_or_else(|| Error::undefined(symbol.name.clone(), None))
            }
        }
    }

    /// From the start of the graph's thread-local block; its sections lie one behind the other.
    fn thread_offset(&self, target: usize) -> Result<u64> {
        let symbol = &self.graph.symbols[target];
        let Place::Section { index, offset } = symbol.place else {
            return Err(Error::undefined(symbol.name.clone(), None));
        };
        let is_thread_local =
            |number: &usize| self.graph.sections[*number].kind == super::SectionKind::ThreadLocal;
        let start = (0..self.graph.sections.len()).filter(is_thread_local);
        let start = start.filter_map(|number| self.layout.sections[number]).min().unwrap_or(0);
        let at = self.layout.sections[index].unwrap_or(start);
        Ok(at.wrapping_sub(start).wrapping_add(offset))
    }

    fn word(&mut self, key: (Term, usize), values: &[u64]) -> u64 {
        let slots = &mut self.image.slots;
        *self.words.entry(key).or_insert_with(|| {
            let at = self.layout.slots + 8 * slots.len() as u64;
            slots.extend(values);
            at
        })
    }

    fn thunk(&mut self, to: u64) -> u64 {
        let thunks = &mut self.image.thunks;
        *self.thunks.entry(to).or_insert_with(|| {
            let start = thunks.len();
            thunks.resize(start + self.graph.isa.thunk_size as usize, 0);
            (self.graph.isa.thunk)(&mut thunks[start..], to);
            self.layout.thunks + start as u64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::sample::caller;
    use crate::symbol::ScopeId;

    fn graph() -> LinkGraph {
        LinkGraph::from_elf(&"input.o".into(), ScopeId::GLOBAL, &caller().bytes()).unwrap()
    }

    /// A layout in which `callee` lies so far from the code.
    fn layout(distance: u64) -> Layout {
        Layout {
            sections: vec![Some(0x1000), Some(0x2000)],
            symbols: HashMap::from([("callee".into(), 0x1000 + distance)]),
            thunks: 0x3000,
            ..Layout::default()
        }
    }

    #[test]
    fn edges_become_bytes_at_the_addresses_given() {
        let image = graph().image(&layout(0x105)).unwrap();
        let text = image.sections[0].as_deref().unwrap();
        assert_eq!(text, [0xe8, 0, 1, 0, 0, 0xc3]);
        let data = image.sections[1].as_deref().unwrap();
        assert_eq!(data, 0x1000u64.to_le_bytes());
        assert_eq!((image.slots, image.thunks), (vec![], vec![]));
    }

    #[test]
    fn calls_out_of_reach_go_through_a_thunk() {
        let image = graph().image(&layout(1 << 40)).unwrap();
        let text = image.sections[0].as_deref().unwrap();
        assert_eq!(text, [0xe8, 0xfb, 0x1f, 0, 0, 0xc3]);
        let address = (0x1000 + (1u64 << 40)).to_le_bytes();
        assert_eq!(image.thunks[image.thunks.len() - 8..], address);
    }

    #[test]
    fn what_is_left_out_has_no_bytes() {
        let sections = vec![None, Some(0x2000)];
        let image = graph().image(&Layout { sections, ..Layout::default() }).unwrap();
        assert_eq!(image.sections, [None, Some(vec![0; 8])]);
    }

    #[test]
    fn what_the_layout_lacks_is_named() {
        let error = graph().image(&Layout { symbols: HashMap::new(), ..layout(0) }).unwrap_err();
        assert!(error.is_undefined() && error.to_string().contains("callee"), "{error}");
        let error = graph().image(&Layout::default()).unwrap_err();
        assert_eq!(error.to_string(), "input.o: a layout of other sections");
    }

    #[test]
    fn unknown_kinds_of_edges_are_named() {
        let mut graph = graph();
        graph.sections[0].edges[0].kind.0 = 5;
        let error = graph.image(&layout(0)).unwrap_err();
        assert_eq!(error.to_string(), "input.o: relocation type 5 is not supported");
    }
}
