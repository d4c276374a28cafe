//! Functions and data become definitions of the session.

use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, UserExternalName};
use cranelift_module::{FuncId, Linkage, ModuleError, ModuleResult};
use vmkit::graph::LinkGraph;
use vmkit::{
    Descriptor, Error, Linkage as Competition, Name, Outcome, Result, State, SymbolId, SymbolKind,
    Unit, Visibility,
};

use super::builder::When;
use super::items::{Item, Waiting};
use super::module::{JitModule, backend};
use super::source::Key;
use crate::compile::{Prepared, Work, began, failed};
use crate::definition::Body;
use crate::untimed::untimed;

impl JitModule {
    /// What becomes a function's definition, and its code if it is compiled here and now.
    pub(super) fn function_item(
        &self,
        id: FuncId,
        name: &Name,
        here: bool,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<(Arc<Item>, Option<LinkGraph>)> {
        if context.func.layout.entry_block().is_none() {
            return Err(backend(Error::compile(name.clone(), crate::building::NO_BODY)));
        }
        self.timed(|| self.cranelift.compiler.verify(&context.func))?;
        match self.when {
            When::Defined if here => return self.compile(id, name, context, control),
            _ if here => return self.compile_ahead(id, name, context, control),
            _ => {}
        }
        let item = match self.cranelift.compiler.inlining.is_on() {
            true => self.body(name, &context.func)?,
            false => self.waiting(id, name, &context.func).map_err(backend)?,
        };
        Ok((item, None))
    }

    /// A function that waits for its first call.
    fn waiting(&self, id: FuncId, name: &Name, function: &Function) -> Result<Arc<Item>> {
        let rename = |name: &UserExternalName| Ok(self.meaning(name)?.external_name());
        let function = self.cranelift.compiler.packer.pack(function, rename)?;
        let signature = &self.declarations.get_function_decl(id).signature;
        let signature = self.definitions.signature_of(signature);
        Ok(Arc::new(Item::Packed(Waiting { name: name.clone(), signature, function })))
    }

    fn body(&self, name: &Name, function: &Function) -> ModuleResult<Arc<Item>> {
        let mut function = function.clone();
        self.rename(&mut function).map_err(backend)?;
        Ok(Arc::new(Item::Body(name.clone(), Body::new(function))))
    }

    /// Does work of Cranelift's, with its clocks if they are wanted.
    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.is_timed { work() } else { untimed(work) }
    }

    /// Compiles the function of a context, where its code stays.
    fn compile(
        &self,
        id: FuncId,
        name: &Name,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<(Arc<Item>, Option<LinkGraph>)> {
        let compiler = &self.cranelift.compiler;
        let meaning = |name: &UserExternalName| self.meaning(name);
        let module = &self.definitions.name;
        let work = Work { session: self.session(), module, name, meaning: &meaning };
        // What is inlined, here or elsewhere, is compiled again when it is redefined.
        let inlining = compiler.inlining.is_on();
        let body = inlining.then(|| self.body(name, &context.func)).transpose()?;
        let began = began(self.session());
        let prepared = compiler.prepare(&work, context).map_err(backend)?;
        let Prepared { inlined, is_self_contained } = prepared;
        self.timed(|| compiler.run(context, control))?;
        let graph = compiler.finish(&work, context, inlined, began).map_err(backend)?;
        if let Some(body) = body {
            return Ok((body, Some(graph)));
        }
        let signature = &self.declarations.get_function_decl(id).signature;
        let item = match is_self_contained {
            true => self.definitions.once(signature),
            false => {
                let signature = self.definitions.signature_of(signature);
                Arc::new(Item::Graph(Box::new(graph.clone()), Some(signature)))
            }
        };
        Ok((item, Some(graph)))
    }

    /// As [`JitModule::compile`]; but what is wrong with the function is said when others would want its
    /// code, as it is where a compile thread finds that.
    fn compile_ahead(
        &self,
        id: FuncId,
        name: &Name,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> ModuleResult<(Arc<Item>, Option<LinkGraph>)> {
        // Who packs it would say so at once.
        let names = context.func.params.user_named_funcs().values();
        { names }.try_for_each(|name| self.meaning(name).map(drop)).map_err(backend)?;
        let error = match self.compile(id, name, context, control) {
            Err(ModuleError::Compilation(error)) => failed(name, &error),
            Err(ModuleError::Backend(error)) => {
                error.downcast().unwrap_or_else(|error| Error::compile(name.clone(), error))
            }
            result => return result,
        };
        let signature = &self.declarations.get_function_decl(id).signature;
        Ok((Arc::new(Item::Failed(error, self.definitions.signature_of(signature))), None))
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

    pub(super) fn define_function_item(
        &mut self,
        id: FuncId,
        name: Name,
        item: Arc<Item>,
        first: Option<LinkGraph>,
    ) -> ModuleResult<SymbolId> {
        let linkage = self.declarations.get_function_decl(id).linkage;
        self.add(Key::Function(id.as_u32()), linkage, name, item, first)
    }

    /// Tells the session of a definition.
    pub(super) fn add(
        &self,
        key: Key,
        linkage: Linkage,
        name: Name,
        item: Arc<Item>,
        first: Option<LinkGraph>,
    ) -> ModuleResult<SymbolId> {
        let number = key.number();
        let tell = || self.define(key, linkage, name.clone());
        let id = self.definitions.give(number, item, first, tell).map_err(|error| {
            self.definitions.remove(number);
            match error.is_duplicate() {
                true => ModuleError::DuplicateDefinition(name.to_string()),
                false => backend(error),
            }
        })?;
        if linkage == Linkage::Preemptible {
            // There may be another definition of it, which is in force.
            let is_own = self.session().body(id) == Some((self.scope, number));
            (!is_own).then(|| self.definitions.forget_first(number));
        }
        self.set_symbol(key, id);
        Ok(id)
    }

    fn define(&self, key: Key, linkage: Linkage, name: Name) -> Result<SymbolId> {
        let (session, number) = (self.session(), key.number());
        if linkage == Linkage::Local {
            let id = session.private(self.scope, &name, number);
            // Somebody has called it before it was there, or the builder said where another one is.
            let is_in_use = matches!(session.state(id), State::Failed | State::Ready);
            let is_another = session.body(id).is_none_or(|(scope, _)| scope != self.scope);
            if key.kind() == SymbolKind::Function && (is_in_use || is_another) {
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
}
