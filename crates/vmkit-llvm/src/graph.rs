//! What the shim gives becomes link graphs.

use rustc_hash::{FxHashMap, FxHashSet};
use vmkit::graph::{
    Binding, Dependency, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol,
};
use vmkit::target::native;
use vmkit::{Linkage, Name, Result, Source, Visibility};

use crate::ffi::{Data, Kind, ModuleRef, Needed, Object, Pointer};
use crate::module::{ASSEMBLY, Module, symbol_kind};

/// A function that cannot be called, so LLVM found, has no instruction: who calls it nevertheless is
/// stopped, rather than run on into what lies behind.
fn stop_at_empty_code(graph: &mut LinkGraph) {
    let is_empty = |section: &&mut Section| section.kind == SectionKind::Code && section.size == 0;
    for section in graph.sections.iter_mut().filter(is_empty) {
        section.bytes = native::POISON.to_vec();
        section.size = section.bytes.len() as u64;
    }
}

impl Module {
    /// The graph of an object, its symbols known to their modules again; and the functions of this
    /// module that it names, by their symbols, with their keys.
    pub(crate) fn graph(
        &self,
        object: &Object<'_>,
        module: ModuleRef,
    ) -> Result<(LinkGraph, Vec<(usize, u32)>)> {
        let mut graph = LinkGraph::from_elf(&self.name, self.scope(), object.elf)?;
        stop_at_empty_code(&mut graph);
        let by_symbol: FxHashMap<&[u8], usize> =
            object.needed.iter().enumerate().map(|(n, needed)| (needed.symbol, n)).collect();
        let mut places = vec![None; object.needed.len()];
        for (place, symbol) in graph.symbols.iter_mut().enumerate() {
            if symbol.binding == Binding::Graph {
                continue;
            }
            let number = by_symbol.get(symbol.name.bytes());
            match number.map(|&number| (number, &object.needed[number])) {
                Some((number, needed)) => {
                    places[number] = Some(place);
                    self.identify(symbol, needed);
                }
                None => self.identify_unlisted(symbol, module),
            }
        }
        graph.dependencies = object
            .inlined
            .iter()
            .map(|inlined| {
                let number = inlined.needed as usize;
                let place = places[number].unwrap_or_else(|| {
                    graph.symbols.push(self.needed_symbol(&object.needed[number]));
                    graph.symbols.len() - 1
                });
                Dependency::Body { symbol: place, hash: inlined.hash }
            })
            .collect();
        // A body was built under assumptions of its own.
        let modules: FxHashSet<_> =
            object.inlined.iter().map(|inlined| inlined.module as usize).collect();
        for assumptions in modules.into_iter().filter_map(|module| self.pool.assumptions(module)) {
            let assumptions = assumptions.iter().copied().map(Dependency::Assumption);
            graph.dependencies.extend(assumptions);
        }
        let functions = places
            .into_iter()
            .zip(&object.needed)
            .filter(|(_, needed)| needed.kind == Kind::Function && needed.module == self.number);
        let functions = functions.filter_map(|(place, needed)| Some((place?, needed.key)));
        Ok((graph, functions.collect()))
    }

    /// What the code takes functions to be.
    pub(crate) fn signatures(&self, functions: &[(usize, u32)]) -> Vec<(usize, String)> {
        let signatures = functions
            .iter()
            .filter_map(|&(place, key)| Some((place, self.signature(u64::from(key))?)));
        signatures.collect()
    }

    /// Makes an object's symbol that of the module which means it.
    fn identify(&self, symbol: &mut Symbol, needed: &Needed<'_>) {
        symbol.kind = Some(symbol_kind(needed.kind));
        if needed.symbol != needed.name {
            symbol.name = Name::new(needed.name);
        }
        if needed.is_private {
            symbol.binding = self.private_binding(needed);
        }
        if needed.module == self.number {
            self.identify_label(symbol);
        }
    }

    /// As [`Module::identify`], for what only assembly or the code generator names.
    fn identify_unlisted(&self, symbol: &mut Symbol, module: ModuleRef) {
        if symbol.place == Place::Undefined
            && let Some(key) = module.find_private(symbol.name.bytes())
        {
            symbol.binding = Binding::Module(u64::from(key));
        }
        self.identify_label(symbol);
    }

    fn identify_label(&self, symbol: &mut Symbol) {
        let labels = self.assembly.get().map(|assembly| &assembly.labels);
        if let Some(kind) = labels.and_then(|labels| labels.get(&symbol.name)) {
            symbol.kind = Some(*kind);
            symbol.binding = Binding::Module(ASSEMBLY);
        }
    }

    fn private_binding(&self, needed: &Needed<'_>) -> Binding {
        let key = u64::from(needed.key);
        match needed.module == self.number {
            true => Binding::Module(key),
            false => Binding::Imported(self.pool.scope(needed.module), key),
        }
    }

    fn needed_symbol(&self, needed: &Needed<'_>) -> Symbol {
        Symbol {
            name: Name::new(needed.name),
            place: Place::Undefined,
            binding: match (needed.is_private, needed.is_weak) {
                (true, _) => self.private_binding(needed),
                (false, true) => Binding::Global(Linkage::Weak),
                (false, false) => Binding::Global(Linkage::Strong),
            },
            visibility: Visibility::Default,
            kind: Some(symbol_kind(needed.kind)),
            size: 0,
        }
    }

    /// The graph of a variable.
    pub(crate) fn data_graph(&self, data: &Data<'_>, kind: Kind) -> LinkGraph {
        let mut symbols: Vec<_> =
            data.needed.iter().map(|needed| self.needed_symbol(needed)).collect();
        symbols[0].place = Place::Section { index: 0, offset: 0 };
        symbols[0].size = data.size;
        let section = Section {
            name: ".data".into(),
            kind: match kind {
                Kind::ThreadLocal => SectionKind::ThreadLocal,
                _ if data.is_constant => SectionKind::ReadOnly,
                _ => SectionKind::Data,
            },
            align: data.align,
            // An object without size still has an address of its own.
            size: data.size.max(1),
            bytes: data.bytes.to_vec(),
            edges: data.pointers.iter().map(edge).collect(),
            group: None,
        };
        let graph = LinkGraph::of_section(self.name.clone(), section, symbols);
        LinkGraph { scope: self.scope(), ..graph }
    }
}

/// A pointer's edge.
fn edge(pointer: &Pointer) -> Edge {
    let kind = native::pointer(pointer.size.into(), pointer.is_relative != 0);
    // No such relocation: the linker says so.
    let kind = kind.unwrap_or(u32::MAX);
    Edge {
        offset: pointer.offset,
        kind: EdgeKind(kind),
        target: pointer.needed as usize,
        addend: pointer.addend,
    }
}
