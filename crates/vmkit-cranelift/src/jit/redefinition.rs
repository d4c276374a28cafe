//! What a session adds to `cranelift_module::Module`: other definitions, and none.

use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_module::{DataDescription, DataId, FuncId, ModuleError, ModuleResult};

use super::builder::When;
use super::items::Item;
use super::module::{JitModule, backend};
use super::source::Key;

impl JitModule {
    /// Gives a function of the module's another definition, which calls that start after this run.
    /// Its signature stays.
    ///
    /// # Errors
    ///
    /// It is not defined, or what there is to say about the new definition.
    pub fn redefine_function(&mut self, id: FuncId, context: &mut Context) -> ModuleResult<()> {
        self.check_declared(id)?;
        let (key, symbol) = (Key::Function(id.as_u32()).number(), self.function_symbol(id));
        let control = &mut ControlPlane::default();
        let (name, here) = (self.name_of(id), self.when == When::Defined);
        let (item, first) = self.function_item(id, &name, here, context, control)?;
        if !self.definitions.holds(key) {
            return Err(ModuleError::Undeclared(self.function_name(id)));
        }
        let tell = || self.session().redefine(symbol, self.scope, key);
        self.definitions.give(key, item, first, tell).map_err(backend)
    }

    /// Takes a function's definition away; it can be defined again. Calls of it fail until then.
    ///
    /// # Errors
    ///
    /// It is not defined.
    pub fn remove_function(&mut self, id: FuncId) -> ModuleResult<()> {
        self.check_declared(id)?;
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
        self.check_data(id)?;
        let key = self.data_key(id).number();
        if !self.definitions.holds(key) {
            let name = self.declarations.get_data_decl(id).linkage_name(id);
            return Err(ModuleError::Undeclared(name.into_owned()));
        }
        let graph = self.data_graph(id, description).map_err(backend)?;
        let (item, symbol) = (Arc::new(Item::Graph(Box::new(graph), None)), self.data_symbol(id));
        let tell = || self.session().redefine_data(symbol, self.scope, key);
        self.definitions.give(key, item, None, tell).map_err(backend)
    }
}
