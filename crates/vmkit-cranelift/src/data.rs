//! Data becomes link graphs: its bytes, and pointers in them.

use std::sync::Arc;

use cranelift_codegen::binemit::Reloc;
use cranelift_module::{DataDescription, Init, ModuleReloc, ModuleRelocTarget};
use vmkit::graph::{Binding, Edge, LinkGraph, Place, Section, SectionKind, Symbol};
use vmkit::{Error, Linkage, Name, Private, Result, Source, SymbolKind, Unit, Visibility};

use crate::machine::Machine;

/// The alignment of data that asks for none, in bytes.
const ALIGN: u64 = 8;

/// What memory data is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Nobody writes it once it is there.
    ReadOnly,
    /// Anybody may write it.
    Writable,
    /// Each thread has a copy of its own.
    ThreadLocal,
}

/// Data, and what it is called.
pub(crate) struct Data<'a> {
    pub(crate) module: &'a Arc<str>,
    pub(crate) name: Name,
    pub(crate) access: Access,
    pub(crate) description: &'a DataDescription,
}

impl Data<'_> {
    /// Its graph. `symbol` gives the symbol that a pointer in it is to.
    pub(crate) fn graph(
        &self,
        machine: &Machine,
        symbol: impl Fn(&ModuleRelocTarget) -> Result<Symbol>,
    ) -> Result<LinkGraph> {
        let fail = |what: &str| Error::compile(self.name.clone(), what);
        let (bytes, size) = match &self.description.init {
            Init::Uninitialized => return Err(fail("nobody said what the data is")),
            Init::Zeros { size } => (Vec::new(), *size),
            Init::Bytes { contents } => (contents.to_vec(), contents.len()),
        };
        let align = self.description.align.unwrap_or(ALIGN);
        if !align.is_power_of_two() {
            return Err(fail("its alignment is no power of two"));
        }
        let mut graph = self.section(bytes, size as u64, align);
        graph.isa = machine.isa;
        for pointer in self.description.all_relocs(Reloc::Abs8) {
            if u64::from(pointer.offset) + 8 > size as u64 {
                return Err(fail("a pointer does not lie within the data"));
            }
            let edge = edge(machine, &mut graph, &pointer, &symbol)?;
            graph.sections[0].edges.push(edge);
        }
        Ok(graph)
    }

    fn section(&self, bytes: Vec<u8>, size: u64, align: u64) -> LinkGraph {
        let section = Section {
            name: ".data".into(),
            kind: match self.access {
                Access::ReadOnly => SectionKind::ReadOnly,
                Access::Writable => SectionKind::Data,
                Access::ThreadLocal => SectionKind::ThreadLocal,
            },
            align,
            // Data without size still has an address of its own.
            size: size.max(1),
            bytes,
            edges: Vec::new(),
            group: None,
        };
        let symbol = own_symbol(&self.name, self.access.kind(), size);
        LinkGraph::of_section(self.module.clone(), section, vec![symbol])
    }
}

impl Access {
    pub(crate) fn kind(self) -> SymbolKind {
        match self {
            Self::ThreadLocal => SymbolKind::ThreadLocal,
            Self::ReadOnly | Self::Writable => SymbolKind::Data,
        }
    }
}

/// The symbol at the start of a graph's first section.
pub(crate) fn own_symbol(name: &Name, kind: SymbolKind, size: u64) -> Symbol {
    Symbol {
        name: name.clone(),
        place: Place::Section { index: 0, offset: 0 },
        binding: Binding::Global(Linkage::Strong),
        visibility: Visibility::Default,
        kind: Some(kind),
        size,
    }
}

/// A relocation's edge, in the first section of a graph, to which its symbol is added.
pub(crate) fn edge(
    machine: &Machine,
    graph: &mut LinkGraph,
    relocation: &ModuleReloc,
    symbol: impl Fn(&ModuleRelocTarget) -> Result<Symbol>,
) -> Result<Edge> {
    let ModuleReloc { offset, kind, ref name, addend } = *relocation;
    let edge = (machine.edge)(kind, &graph.sections[0].bytes, offset);
    let unknown = || Error::other(format!("relocations of the kind {kind} cannot be linked"));
    let kind = edge.ok_or_else(unknown)?;
    graph.symbols.push(symbol(name)?);
    Ok(Edge { offset: u64::from(offset), kind, target: graph.symbols.len() - 1, addend })
}

/// Data as a source of its one definition.
pub(crate) struct DataSource {
    pub(crate) name: Arc<str>,
    pub(crate) access: Access,
    pub(crate) graph: LinkGraph,
}

impl Source for DataSource {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        Ok(self.graph.clone())
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: self.access.kind(), unit: Unit::Data }
    }
}
