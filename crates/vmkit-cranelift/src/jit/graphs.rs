//! Link graphs of what comes as bytes.

use cranelift_codegen::ir::UserExternalName;
use cranelift_module::{DataDescription, DataId, FuncId, ModuleReloc, ModuleRelocTarget};
use vmkit::graph::{LinkGraph, Section, SectionKind, Symbol};
use vmkit::{Error, Name, Result, SymbolKind};

use super::module::JitModule;
use crate::data::{self, Access, Data};
use crate::graph;

impl JitModule {
    pub(super) fn data_graph(
        &self,
        id: DataId,
        description: &DataDescription,
    ) -> Result<LinkGraph> {
        let declaration = self.declarations.get_data_decl(id);
        let access = match (declaration.tls, declaration.writable) {
            (true, _) => Access::ThreadLocal,
            (false, true) => Access::Writable,
            (false, false) => Access::ReadOnly,
        };
        let name = Name::from(&*declaration.linkage_name(id));
        let data = Data { module: &self.definitions.name, name, access, description };
        data.graph(self.cranelift.compiler.machine, |target| self.pointed_to(target, None))
    }

    pub(super) fn bytes_graph(
        &self,
        id: FuncId,
        alignment: u64,
        bytes: &[u8],
        relocations: &[ModuleReloc],
    ) -> Result<LinkGraph> {
        let name = self.name_of(id);
        let align = alignment.max(self.target().function_alignment().minimum.into());
        if !align.is_power_of_two() || bytes.is_empty() {
            return Err(Error::compile(name, "no code, or its alignment is no power of two"));
        }
        let section = Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align,
            size: bytes.len() as u64,
            bytes: bytes.to_vec(),
            edges: Vec::new(),
            group: None,
        };
        let own = data::own_symbol(&name, SymbolKind::Function, bytes.len() as u64);
        let mut graph = LinkGraph::of_section(self.definitions.name.clone(), section, vec![own]);
        for relocation in relocations {
            let machine = self.cranelift.compiler.machine;
            let symbol = |target: &_| self.pointed_to(target, Some(id));
            let mut edge = data::edge(machine, &mut graph, relocation, symbol)?;
            if let ModuleRelocTarget::FunctionOffset(_, offset) = relocation.name {
                edge.addend += i64::from(offset);
            }
            if edge.offset + 4 > bytes.len() as u64 {
                return Err(Error::compile(name, "a relocation does not lie within the code"));
            }
            graph.sections[0].edges.push(edge);
        }
        Ok(graph)
    }

    /// What a relocation in data, or in the code of a function, is to.
    fn pointed_to(&self, target: &ModuleRelocTarget, within: Option<FuncId>) -> Result<Symbol> {
        match *target {
            ModuleRelocTarget::User { namespace, index } => {
                let meaning = self.meaning(&UserExternalName::new(namespace, index))?;
                let kind = match namespace {
                    0 => SymbolKind::Function,
                    1 => self.data_key(DataId::from_u32(index)).kind(),
                    _ => return Ok(graph::known(self.session(), meaning)),
                };
                Ok(graph::of_session(self.session(), meaning, kind))
            }
            ModuleRelocTarget::LibCall(call) => {
                let name = (self.cranelift.compiler.libcall_names)(call);
                Ok(graph::function(name.as_str().into()))
            }
            ModuleRelocTarget::FunctionOffset(id, _) if within == Some(id) => {
                Ok(graph::section_symbol(0))
            }
            ref other => Err(Error::other(format!("{other} is nothing to point to from there"))),
        }
    }
}
