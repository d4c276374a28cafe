//! Ifuncs of objects: who calls one does not mean what is at its place, which only tells where it is.

use super::{descriptor, local_name, refer_to};
use crate::definition::Definition;
use crate::error::Result;
use crate::graph::{Binding, LinkGraph, Place, Symbol};
use crate::link::Linker;
use crate::symbol::{Linkage, ScopeId, SymbolKind};

/// Defines the ifuncs of an object. What stood for one in its graph refers to the session's symbol
/// then, and a symbol of its own stands for the resolver.
pub(super) fn define(linker: &Linker, graph: &mut LinkGraph) -> Result<()> {
    for number in 0..graph.symbols.len() {
        let symbol = graph.symbols[number].clone();
        let is_defined = matches!(symbol.place, Place::Section { .. });
        if !is_defined || symbol.kind != Some(SymbolKind::Indirect) {
            continue;
        }
        let name = local_name(graph, &symbol.name, "resolver", number);
        let resolver = linker.private(graph.scope, &name, super::WHOLE);
        linker.table.entry(resolver).lock().kind = Some(SymbolKind::Function);
        let (scope, name) = match symbol.binding {
            Binding::Global(_) => (ScopeId::GLOBAL, symbol.name.clone()),
            _ => (graph.scope, local_name(graph, &symbol.name, "local", number)),
        };
        let known = descriptor(&symbol, name);
        let (id, _) = linker.table.define(scope, &known, Definition::Indirect { resolver })?;
        refer_to(&mut graph.symbols[number], id);
        let binding = Binding::Session(resolver, Linkage::Strong);
        graph.symbols.push(Symbol { binding, ..symbol });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use object::elf;

    use super::*;
    use crate::explain::Definer;
    use crate::graph::Standing;
    use crate::graph::sample::{Mark, Part, Sample, pointer};
    use crate::session::Session;

    #[test]
    fn an_ifunc_is_no_place_of_its_object() {
        let data = Part {
            relocations: vec![(0, pointer(), 1, 0)],
            ..Part::new(".data", elf::SHF_WRITE, &[0; 8])
        };
        let parts = vec![Part::code(&[0xc3]), data];
        let ifunc = Mark { kind: elf::STT_GNU_IFUNC, ..Mark::function("chosen", 1, 0, 1) };
        let sample = Sample { parts, marks: vec![ifunc] };
        let session = Session::builder().whole_process(false).compile_threads(1).build().unwrap();
        let loaded = session.add_object("a.o", &sample.native_bytes()).unwrap();
        session.compile(loaded.unit).unwrap();
        let explanation = session.explain(session.symbol("chosen"));
        // Taken by the data; nobody has called it.
        assert!(explanation.stub.is_some() && explanation.address.is_none());
        let Some(Definer::Resolver(resolver)) = explanation.definer else {
            panic!("{:?}", explanation.definer)
        };
        assert!(session.explain(resolver).address.is_some());
        let listed = loaded.listing();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].standing, Standing::Defined(Linkage::Strong));
        assert_eq!(listed[0].kind, Some(SymbolKind::Indirect));
    }
}
