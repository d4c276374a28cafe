//! Memory of graphs whose code is linked, for the graphs of other functions: each has half a dozen lists.

use std::mem::take;

use parking_lot::Mutex;
use vmkit::graph::{Edge, LinkGraph, Section, Symbol};

/// So many graphs' lists are kept: as many as are likely to be compiled and not linked at a time.
const MOST: usize = 16;
/// Bytes of code, and edges, that most functions do not have: longer lists are not kept.
const LONGEST: usize = 4096;

/// Lists that no graph has now.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Vec<Lists>>);

/// The lists of a graph.
#[derive(Default)]
pub(crate) struct Lists {
    /// Those of the graph so far, and after them those of one that is gone, of which only the memory counts.
    sections: Vec<Section>,
    count: usize,
    pub(crate) symbols: Vec<Symbol>,
}

impl Spare {
    /// Some lists, of nothing yet.
    pub(crate) fn take(&self) -> Lists {
        self.0.lock().pop().unwrap_or_default()
    }

    /// Keeps the lists of a graph that nobody needs any more.
    pub(crate) fn keep(&self, graph: LinkGraph) {
        let LinkGraph { mut sections, mut symbols, .. } = graph;
        symbols.clear();
        for Section { bytes, edges, .. } in &mut sections {
            bytes.clear();
            edges.clear();
            if bytes.capacity().max(edges.capacity()) > LONGEST {
                (*bytes, *edges) = Default::default();
            }
        }
        let mut kept = self.0.lock();
        if kept.len() < MOST && symbols.capacity().max(sections.capacity()) <= LONGEST {
            kept.push(Lists { sections, count: 0, symbols });
        }
    }

    /// Gives the memory back.
    pub(crate) fn clear(&self) {
        let kept = take(&mut *self.0.lock());
        drop(kept);
    }
}

impl Lists {
    /// Lists for the next section, empty.
    pub(crate) fn content(&mut self) -> (Vec<u8>, Vec<Edge>) {
        let old = self.sections.get_mut(self.count);
        old.map(|old| (take(&mut old.bytes), take(&mut old.edges))).unwrap_or_default()
    }

    /// Adds a section.
    pub(crate) fn push(&mut self, section: Section) {
        match self.sections.get_mut(self.count) {
            Some(old) => *old = section,
            None => {
                self.sections.reserve_exact(1);
                self.sections.push(section);
            }
        }
        self.count += 1;
    }

    /// The sections and the symbols.
    pub(crate) fn finish(mut self) -> (Vec<Section>, Vec<Symbol>) {
        self.sections.truncate(self.count);
        (self.sections, self.symbols)
    }
}

#[cfg(test)]
mod tests {
    use vmkit::graph::{EdgeKind, SectionKind};

    use super::*;
    use crate::graph::section_symbol;

    fn graph(size: usize) -> LinkGraph {
        let section = Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align: 16,
            size: size as u64,
            bytes: vec![1; size],
            edges: vec![Edge { offset: 0, kind: EdgeKind(2), target: 0, addend: 0 }],
            group: None,
        };
        LinkGraph::of_section("test".into(), section, vec![section_symbol(0)])
    }

    #[test]
    fn lists_that_come_back_are_empty_and_have_room() {
        let spare = Spare::default();
        spare.keep(graph(100));
        let mut lists = spare.take();
        assert!(lists.symbols.is_empty() && lists.symbols.capacity() > 0);
        let (bytes, edges) = lists.content();
        assert!(bytes.is_empty() && edges.is_empty());
        assert!(bytes.capacity() >= 100 && edges.capacity() > 0);
        let section =
            |name: &'static str| Section { name: name.into(), ..graph(1).sections.remove(0) };
        for name in [".first", ".second"] {
            lists.push(section(name));
            assert_eq!(lists.content().0.capacity(), 0);
        }
        let (sections, _) = lists.finish();
        assert!(sections.iter().map(|section| &section.name).eq([".first", ".second"]));
        assert!(sections.capacity() > 0);
        assert_eq!(spare.take().symbols.capacity(), 0);
        spare.keep(graph(100));
        assert!(spare.take().finish().0.is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let spare = Spare::default();
        spare.keep(graph(LONGEST + 1));
        assert_eq!(spare.take().content().0.capacity(), 0);
        (0..2 * MOST).for_each(|_| spare.keep(graph(1)));
        assert_eq!(spare.0.lock().len(), MOST);
        spare.clear();
        assert_eq!(spare.take().symbols.capacity(), 0);
    }
}
