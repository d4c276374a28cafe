//! A relocatable object becomes a graph, or an error that names it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmkit::ScopeId;
use vmkit::graph::{LinkGraph, Place};

fuzz_target!(|bytes: &[u8]| {
    match LinkGraph::from_elf(&"input.o".into(), ScopeId::GLOBAL, bytes) {
        Ok(graph) => check(&graph),
        Err(error) => assert!(error.is_input() && error.to_string().starts_with("input.o: ")),
    }
});

/// What the linker relies on.
fn check(graph: &LinkGraph) {
    for section in &graph.sections {
        assert!(section.align.is_power_of_two());
        assert!(section.bytes.len() as u64 <= section.size);
        assert!(section.group.is_none_or(|group| group < graph.groups.len()));
        for edge in &section.edges {
            assert!(edge.target < graph.symbols.len());
            assert!(edge.offset <= section.size, "{edge:?}");
        }
    }
    for symbol in &graph.symbols {
        if let Place::Section { index, .. } = symbol.place {
            assert!(index < graph.sections.len());
        }
    }
    assert!(graph.listing().len() <= graph.symbols.len());
    assert!(graph.to_string().lines().count() >= graph.sections.len());
}
