//! Definitions of a module: `cranelift_module::Module`.

use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::TargetIsa;
use cranelift_module::{
    DataDescription, DataId, FuncId, FuncOrDataId, Linkage, Module, ModuleDeclarations,
    ModuleError, ModuleReloc, ModuleResult,
};
use vmkit::graph::{Binding, LinkGraph, Place, Symbol};
use vmkit::{Linkage as Competition, Name, SymbolKind};

use super::builder::When;
use super::items::Item;
use super::module::{JitModule, backend};
use super::pending::Waits;
use super::source::Key;
use crate::compile::is_self_contained;

impl Module for JitModule {
    fn isa(&self) -> &dyn TargetIsa {
        self.target()
    }

    fn declarations(&self) -> &ModuleDeclarations {
        &self.declarations
    }

    fn declare_function(
        &mut self,
        name: &str,
        linkage: Linkage,
        signature: &Signature,
    ) -> ModuleResult<FuncId> {
        let (id, _) = self.declarations.declare_function(name, linkage, signature)?;
        self.functions = self.functions.max(id.as_u32() + 1);
        Ok(id)
    }

    fn declare_anonymous_function(&mut self, signature: &Signature) -> ModuleResult<FuncId> {
        let id = self.declarations.declare_anonymous_function(signature)?;
        self.functions = self.functions.max(id.as_u32() + 1);
        Ok(id)
    }

    fn declare_data(
        &mut self,
        name: &str,
        linkage: Linkage,
        writable: bool,
        tls: bool,
    ) -> ModuleResult<DataId> {
        if let Some(FuncOrDataId::Data(id)) = self.declarations.get_name(name)
            && self.declarations.get_data_decl(id).tls != tls
        {
            return Err(ModuleError::IncompatibleDeclaration(name.to_owned()));
        }
        let (id, _) = self.declarations.declare_data(name, linkage, writable, tls)?;
        self.data = self.data.max(id.as_u32() + 1);
        Ok(id)
    }

    fn declare_anonymous_data(&mut self, writable: bool, tls: bool) -> ModuleResult<DataId> {
        let id = self.declarations.declare_anonymous_data(writable, tls)?;
        self.data = self.data.max(id.as_u32() + 1);
        Ok(id)
    }

    /// Defines a function. Unless the module is [eager](crate::JitBuilder::eager), it is compiled when
    /// it is first called, and the context has no code after this; if `enable_verifier` is set, what
    /// the verifier says is said now.
    fn define_function_with_control_plane(
        &mut self,
        id: FuncId,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<()> {
        self.check_definable(id)?;
        let name = self.name_of(id);
        let (session, instructions) = (&self.cranelift.session, context.func.dfg.num_insts());
        let is_definers = match self.when {
            When::Called => false,
            When::Defined => true,
            When::Finalized => self.pending.is_definers(session, instructions),
        };
        let (item, first) = self.function_item(id, &name, is_definers, context, control)?;
        let waits = match &first {
            Some(graph) if !names_data(graph) => Waits::Compiled,
            None if !is_definers && is_self_contained(&context.func) => Waits::Requested,
            _ => Waits::Left,
        };
        let symbol = self.define_function_item(id, name, item, first)?;
        if self.when != When::Called {
            self.pending.push(&self.cranelift.session, symbol, waits);
        }
        Ok(())
    }

    fn define_function_bytes(
        &mut self,
        id: FuncId,
        alignment: u64,
        bytes: &[u8],
        relocations: &[ModuleReloc],
    ) -> ModuleResult<()> {
        self.check_definable(id)?;
        let graph = self.bytes_graph(id, alignment, bytes, relocations).map_err(backend)?;
        let signature = &self.declarations.get_function_decl(id).signature;
        let signature = self.definitions.signature_of(signature);
        let item = Arc::new(Item::Graph(Box::new(graph), Some(signature)));
        self.define_function_item(id, self.name_of(id), item, None)?;
        Ok(())
    }

    fn define_data(&mut self, id: DataId, description: &DataDescription) -> ModuleResult<()> {
        self.check_data(id)?;
        let declaration = self.declarations.get_data_decl(id);
        let (linkage, name) = (declaration.linkage, declaration.linkage_name(id));
        let key = self.data_key(id);
        self.check(key, linkage, || name.to_string())?;
        let graph = self.data_graph(id, description).map_err(backend)?;
        let item = Arc::new(Item::Graph(Box::new(graph), None));
        self.add(key, linkage, Name::from(&*name), item, None)?;
        Ok(())
    }
}

/// Does code name data, or functions that may be null, which need not be defined yet?
fn names_data(graph: &LinkGraph) -> bool {
    let is_data = |symbol: &Symbol| {
        let is_weak = matches!(symbol.binding, Binding::Session(_, Competition::Weak));
        symbol.place == Place::Undefined && (is_weak || symbol.kind != Some(SymbolKind::Function))
    };
    graph.symbols.iter().any(is_data)
}

impl JitModule {
    pub(super) fn name_of(&self, id: FuncId) -> Name {
        Name::from(&*self.declarations.get_function_decl(id).linkage_name(id))
    }

    pub(super) fn function_name(&self, id: FuncId) -> String {
        self.declarations.get_function_decl(id).linkage_name(id).into_owned()
    }

    fn check_definable(&self, id: FuncId) -> ModuleResult<()> {
        self.check_declared(id)?;
        let declaration = self.declarations.get_function_decl(id);
        let name = || declaration.linkage_name(id).into_owned();
        self.check(Key::Function(id.as_u32()), declaration.linkage, name)
    }

    pub(super) fn check_declared(&self, id: FuncId) -> ModuleResult<()> {
        let undeclared = || ModuleError::Undeclared(id.to_string());
        self.has_function(id).then_some(()).ok_or_else(undeclared)
    }

    pub(super) fn check_data(&self, id: DataId) -> ModuleResult<()> {
        let undeclared = || ModuleError::Undeclared(id.to_string());
        self.has_data(id).then_some(()).ok_or_else(undeclared)
    }

    fn check(&self, key: Key, linkage: Linkage, name: impl Fn() -> String) -> ModuleResult<()> {
        if !linkage.is_definable() {
            return Err(ModuleError::InvalidImportDefinition(name()));
        }
        if self.definitions.holds(key.number()) {
            return Err(ModuleError::DuplicateDefinition(name()));
        }
        Ok(())
    }
}
