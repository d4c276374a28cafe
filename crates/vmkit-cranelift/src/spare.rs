//! Memory of graphs whose code is linked, for the graphs of other functions: each has half a dozen lists.

use parking_lot::Mutex;
use smallvec::SmallVec;
use vmkit::graph::{Edge, LinkGraph, Section, Symbol};

/// So many graphs' lists are kept: as many as are likely to be compiled and not linked at a time.
const MOST: usize = 16;
/// Bytes of code, and edges, that most functions do not have: longer lists are not kept.
const LONGEST: usize = 4096;

/// Lists that no graph has now.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Vec<Lists>>);

/// The lists of a graph, empty.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) sections: Vec<Section>,
    pub(crate) symbols: Vec<Symbol>,
    /// Those of its sections.
    contents: SmallVec<[Content; 2]>,
}

type Content = (Vec<u8>, Vec<Edge>);

impl Spare {
    /// Some lists, empty.
    pub(crate) fn take(&self) -> Lists {
        self.0.lock().pop().unwrap_or_default()
    }

    /// Keeps the lists of a graph that nobody needs any more.
    pub(crate) fn keep(&self, graph: LinkGraph) {
        let LinkGraph { mut sections, mut symbols, .. } = graph;
        let is_short = |(bytes, edges): &Content| bytes.capacity().max(edges.capacity()) <= LONGEST;
        symbols.clear();
        let mut contents = SmallVec::new();
        for Section { mut bytes, mut edges, .. } in sections.drain(..) {
            bytes.clear();
            edges.clear();
            contents.extend(Some((bytes, edges)).filter(is_short));
        }
        let mut kept = self.0.lock();
        if kept.len() < MOST && symbols.capacity() <= LONGEST {
            kept.push(Lists { sections, symbols, contents });
        }
    }
}

impl Lists {
    /// Lists for a section.
    pub(crate) fn content(&mut self) -> (Vec<u8>, Vec<Edge>) {
        self.contents.pop().unwrap_or_default()
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
        assert!(lists.sections.is_empty() && lists.symbols.is_empty());
        assert!(lists.sections.capacity() > 0 && lists.symbols.capacity() > 0);
        let (bytes, edges) = lists.content();
        assert!(bytes.is_empty() && edges.is_empty());
        assert!(bytes.capacity() >= 100 && edges.capacity() > 0);
        assert_eq!(lists.content().0.capacity(), 0);
        assert_eq!(spare.take().symbols.capacity(), 0);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let spare = Spare::default();
        spare.keep(graph(LONGEST + 1));
        assert_eq!(spare.take().content().0.capacity(), 0);
        (0..2 * MOST).for_each(|_| spare.keep(graph(1)));
        assert_eq!(spare.0.lock().len(), MOST);
    }
}
