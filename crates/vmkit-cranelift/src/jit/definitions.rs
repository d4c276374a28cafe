//! Definitions of a module: `cranelift_module::Module`, and what a session adds to it.

use std::sync::Arc;
use std::time::Instant;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, Signature, UserExternalName};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, Context, verify_function};
use cranelift_module::{
    DataDescription, DataId, FuncId, FuncOrDataId, Linkage, Module, ModuleDeclarations,
    ModuleError, ModuleReloc, ModuleRelocTarget, ModuleResult,
};
use vmkit::graph::{Binding, LinkGraph, Place, Section, SectionKind, Symbol};
use vmkit::{
    Descriptor, Error, Linkage as Competition, Name, Outcome, Result, State, SymbolId, SymbolKind,
    Unit, Visibility,
};

use super::module::{JitModule, backend};
use super::source::{Item, Key};
use crate::compile::Work;
use crate::data::{self, Access, Data};
use crate::definition::Body;
use crate::graph;

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
        let item = self.function_item(id, context, control)?;
        let can_link = matches!(&item, Item::Graph(graph) if !names_data(graph));
        let symbol = self.define_function_item(id, item)?;
        if can_link {
            self.session().compile_here(symbol).map_err(backend)?;
        } else if self.is_eager {
            self.compiled.push(symbol);
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
        self.define_function_item(id, Item::Graph(Arc::new(graph)))?;
        Ok(())
    }

    fn define_data(&mut self, id: DataId, description: &DataDescription) -> ModuleResult<()> {
        let declaration = self.declarations.get_data_decl(id);
        let (linkage, name) = (declaration.linkage, declaration.linkage_name(id).into_owned());
        let key = self.data_key(id);
        self.check(key, linkage, || name.clone())?;
        let graph = self.data_graph(id, description).map_err(backend)?;
        self.add(key, linkage, &name, Item::Graph(Arc::new(graph)))?;
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
    /// Gives a function of the module's another definition, which calls that start after this run.
    /// Its signature stays.
    ///
    /// # Errors
    ///
    /// It is not defined, or what there is to say about the new definition.
    pub fn redefine_function(&mut self, id: FuncId, context: &mut Context) -> ModuleResult<()> {
        let item = self.function_item(id, context, &mut ControlPlane::default())?;
        let (key, symbol) = (Key::Function(id.as_u32()).number(), self.function_symbol(id));
        if !self.definitions.holds(key) {
            return Err(ModuleError::Undeclared(self.function_name(id)));
        }
        self.definitions.set(key, item);
        self.session().redefine(symbol, self.scope, key).map_err(backend)
    }

    /// Takes a function's definition away; it can be defined again. Calls of it fail until then.
    ///
    /// # Errors
    ///
    /// It is not defined.
    pub fn remove_function(&mut self, id: FuncId) -> ModuleResult<()> {
        let key = Key::Function(id.as_u32()).number();
        if !self.definitions.holds(key) {
            return Err(ModuleError::Undeclared(self.function_name(id)));
        }
        let symbol = self.function_symbol(id);
        self.session().remove(symbol).map_err(backend)?;
        self.definitions.remove(key);
        Ok(())
    }

    /// Gives data of the module's another definition, at another place (see
    /// [`Session::redefine_data`](vmkit::Session::redefine_data)).
    ///
    /// # Errors
    ///
    /// It is not defined, or what there is to say about the new definition.
    pub fn redefine_data(&mut self, id: DataId, description: &DataDescription) -> ModuleResult<()> {
        let key = self.data_key(id).number();
        if !self.definitions.holds(key) {
            let name = self.declarations.get_data_decl(id).linkage_name(id);
            return Err(ModuleError::Undeclared(name.into_owned()));
        }
        let graph = self.data_graph(id, description).map_err(backend)?;
        self.definitions.set(key, Item::Graph(Arc::new(graph)));
        let symbol = self.data_symbol(id);
        self.session().redefine_data(symbol, self.scope, key).map_err(backend)
    }

    fn function_name(&self, id: FuncId) -> String {
        self.declarations.get_function_decl(id).linkage_name(id).into_owned()
    }

    fn check_definable(&self, id: FuncId) -> ModuleResult<()> {
        let declaration = self.declarations.get_function_decl(id);
        let name = || declaration.linkage_name(id).into_owned();
        self.check(Key::Function(id.as_u32()), declaration.linkage, name)
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

    /// What becomes a function's definition: its code already, or its body.
    fn function_item(
        &self,
        id: FuncId,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<Item> {
        let name = Name::from(&*self.declarations.get_function_decl(id).linkage_name(id));
        if context.func.layout.entry_block().is_none() {
            return Err(backend(Error::compile(name, crate::building::NO_BODY)));
        }
        if self.is_eager {
            return self.compile(&name, context, control);
        }
        let isa = self.target();
        if isa.flags().enable_verifier() {
            let verified = verify_function(&context.func, isa);
            verified.map_err(|errors| ModuleError::Compilation(CodegenError::Verifier(errors)))?;
        }
        let mut function = context.func.clone();
        self.rename(&mut function).map_err(backend)?;
        Ok(Item::Body(name, Body::new(function)))
    }

    /// Compiles the function of a context, where its code stays.
    fn compile(
        &self,
        name: &Name,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<Item> {
        let compiler = &self.cranelift.compiler;
        let meaning = |name: &UserExternalName| self.meaning(name);
        let module = &self.definitions.name;
        let work = Work { session: self.session(), module, name, meaning: &meaning };
        let began = Instant::now();
        let inlined = compiler.prepare(&work, context).map_err(backend)?;
        context.compile(&*compiler.isa, control)?;
        let graph = compiler.finish(&work, context, inlined, began).map_err(backend)?;
        Ok(Item::Graph(Arc::new(graph)))
    }

    /// Has a function name symbols of the session instead of the module's numbers.
    fn rename(&self, function: &mut Function) -> Result<()> {
        let named: Vec<_> = function
            .params
            .user_named_funcs()
            .iter()
            .map(|(reference, name)| Ok((reference, self.meaning(name)?)))
            .collect::<Result<_>>()?;
        for (reference, meaning) in named {
            function.params.reset_user_func_name(reference, meaning.external_name());
        }
        Ok(())
    }

    fn define_function_item(&mut self, id: FuncId, item: Item) -> ModuleResult<SymbolId> {
        let linkage = self.declarations.get_function_decl(id).linkage;
        self.add(Key::Function(id.as_u32()), linkage, &self.function_name(id), item)
    }

    /// Tells the session of a definition.
    fn add(&self, key: Key, linkage: Linkage, name: &str, item: Item) -> ModuleResult<SymbolId> {
        let number = key.number();
        self.definitions.set(number, item);
        let id = self.define(key, linkage, name.into()).map_err(|error| {
            self.definitions.remove(number);
            match error.is_duplicate() {
                true => ModuleError::DuplicateDefinition(name.to_owned()),
                false => backend(error),
            }
        })?;
        self.set_symbol(key, id);
        Ok(id)
    }

    fn define(&self, key: Key, linkage: Linkage, name: Name) -> Result<SymbolId> {
        let (session, number) = (self.session(), key.number());
        if linkage == Linkage::Local {
            let id = session.private(self.scope, &name, number);
            // Somebody has called it before it was there.
            if key.kind() == SymbolKind::Function && session.state(id) == State::Failed {
                session.redefine(id, self.scope, number)?;
            }
            return Ok(id);
        }
        let mut descriptor = Descriptor::strong(name, key.kind());
        if linkage == Linkage::Preemptible {
            descriptor.linkage = Competition::Weak;
        }
        if linkage == Linkage::Hidden {
            descriptor.visibility = Visibility::Hidden;
        }
        let unit = if key.kind() == SymbolKind::Function { Unit::Lazy } else { Unit::Data };
        let (id, outcome) = session.define(&descriptor, self.scope, number, unit)?;
        // What is in use already for want of better, such as what the builder says, gives way.
        if outcome == Outcome::Ignored && linkage != Linkage::Preemptible {
            match key.kind() {
                SymbolKind::Function => session.redefine(id, self.scope, number)?,
                _ => session.redefine_data(id, self.scope, number)?,
            }
        }
        Ok(id)
    }

    fn data_graph(&self, id: DataId, description: &DataDescription) -> Result<LinkGraph> {
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

    fn bytes_graph(
        &self,
        id: FuncId,
        alignment: u64,
        bytes: &[u8],
        relocations: &[ModuleReloc],
    ) -> Result<LinkGraph> {
        let name = Name::from(self.function_name(id).as_str());
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
