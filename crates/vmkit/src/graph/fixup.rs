//! Edges become bytes, wherever the bytes are going to lie.

use super::{Edge, EdgeKind, LinkGraph, Section};
use crate::error::{Error, Kind, Result};
use crate::target::{Misfit, Row};

/// Writes the value of an edge of `graph` into the bytes of its section; `place` is the edge's.
pub(crate) fn write(
    graph: &LinkGraph,
    bytes: &mut [u8],
    (edge, place): (Edge, u64),
    row: &Row,
    value: i128,
) -> Result<()> {
    row.write(bytes, edge.offset, value).map_err(|misfit| {
        let (file, name) = (graph.name.clone(), graph.symbols[edge.target].name.clone());
        let Row { name: kind, low, high, .. } = *row;
        let align = row.field.align;
        match misfit {
            Misfit::Range => {
                Kind::OutOfRange { kind, graph: file, place, name, value, low, high }.into()
            }
            Misfit::Alignment => {
                Kind::Misaligned { kind, graph: file, place, name, value, align }.into()
            }
            Misfit::Outside => {
                let what = format!("relocation at {:#x}, outside its section", edge.offset);
                Error::input(file, what)
            }
        }
    })
}

/// May loads from slots in a section be rewritten? Where two instructions load together, only if all
/// of them stand in pairs: a page that one of them computed is then not used by another.
pub(crate) fn is_relaxable(graph: &LinkGraph, section: &Section) -> bool {
    let Some([first, second]) = graph.isa.slot_pair else { return true };
    let mut rest = &section.edges[..];
    while let Some((edge, after)) = rest.split_first() {
        rest = after;
        if edge.kind.0 == second {
            return false;
        }
        if edge.kind.0 == first {
            let Some((next, after)) = rest.split_first() else { return false };
            let is_pair = next.kind.0 == second
                && Some(next.offset) == edge.offset.checked_add(4)
                && (next.target, next.addend, edge.addend) == (edge.target, 0, 0);
            if !is_pair {
                return false;
            }
            rest = after;
        }
    }
    true
}

/// Rewrites the instructions of an edge that loads from a slot; the edges that stand for it then, and
/// for those right behind it, as many. None if that cannot be done.
pub(crate) fn relax(
    graph: &LinkGraph,
    bytes: &mut [u8],
    edge: Edge,
) -> impl ExactSizeIterator<Item = Edge> + use<> {
    let relaxed = (graph.isa.relax)(bytes, edge.offset);
    relaxed.iter().map(move |relaxed| Edge {
        offset: edge.offset.wrapping_add_signed(relaxed.shift),
        kind: EdgeKind(relaxed.number),
        ..edge
    })
}
