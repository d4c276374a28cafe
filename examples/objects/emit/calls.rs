//! Calls, and how little a call of a method costs.
//!
//! A method that no loaded class overrides can be called directly, and inlined, under the assumption
//! that it stays so. When a class that overrides it is loaded, the code is outdated; but a frame that
//! is in it by then goes on. That is right as long as the receiver is one that the frame's function
//! was called with: it was there before the class was, so it is of another class (Detlefs and Agesen,
//! "Inlining of virtual methods", 1999: preexistence). So only those calls are made direct.

use super::super::code::{Code, Kind};
use super::super::program::Class;
use super::super::syntax::{Expr, Function, Type};
use super::super::vm::table;
use super::{Emitted, Emitter, Typed, kind};

impl<C: Code> Emitter<'_, C> {
    /// Calls a function.
    pub(super) fn call(&mut self, name: &str, arguments: &[Expr]) -> Emitted<Typed<C>> {
        let function = self.vm.program.functions.get(name).cloned();
        let function = function.ok_or_else(|| format!("there is no function {name}"))?;
        let nobody = self.code.null();
        let arguments = self.arguments(&function, nobody, arguments)?;
        self.finish_call(&function, &format!("fn {name}"), &arguments)
    }

    /// Calls a method.
    pub(super) fn send(
        &mut self,
        receiver: &Expr,
        name: &str,
        arguments: &[Expr],
    ) -> Emitted<Typed<C>> {
        let is_argument = self.is_argument(receiver);
        let (receiver, ty) = self.expr(receiver)?;
        let Type::Object(class) = ty else { return Err(format!("no object to {name}").into()) };
        let vm = self.vm.clone();
        if let Some(method) = vm.program.interface_method(&class, name) {
            let arguments = self.arguments(&method.function, receiver, arguments)?;
            self.check_null(receiver)?;
            let cache = self.cache(&class, name, method.number)?;
            return self.finish_call(&method.function, &cache, &arguments);
        }
        let class = vm.program.class(&class)?;
        let found = class.method(name);
        let (slot, method) = found.ok_or_else(|| format!("{} has no {name}", class.name))?;
        let arguments = self.arguments(&method.function, receiver, arguments)?;
        self.check_null(receiver)?;
        if is_argument && let Some((symbol, assumption)) = vm.only_method(class, slot) {
            self.code.assume(assumption);
            self.has_assumed = true;
            return self.finish_call(&method.function, &symbol, &arguments);
        }
        let code = self.entry(receiver, slot)?;
        let ty = &method.function.result;
        Ok((self.code.call_at(code, &arguments, kind(ty))?, ty.clone()))
    }

    /// Makes an object, and has its method `init` called, if it has one.
    pub(super) fn create(&mut self, name: &str, arguments: &[Expr]) -> Emitted<Typed<C>> {
        let class: &Class = &self.vm.clone().program.class(name)?.clone();
        let nobody = self.code.null();
        if !self.vm.is_loaded(class) {
            // Once it is, what makes the object can be inlined.
            self.code.assume(self.vm.is_not_loaded(class));
        }
        let arguments_of_new = [nobody, self.thread()];
        let object = self.code.call(&format!("new {name}"), &arguments_of_new, Kind::Reference)?;
        match class.method("init") {
            Some((_, init)) => {
                let arguments = self.arguments(&init.function, object, arguments)?;
                self.finish_call(&init.function, &init.symbol(), &arguments)?;
            }
            None if arguments.is_empty() => {}
            None => return Err(format!("{name} has no init").into()),
        }
        Ok((object, Type::Object(name.into())))
    }

    /// Starts a thread.
    pub(super) fn spawn(&mut self, receiver: &Expr) -> Emitted<Typed<C>> {
        let (receiver, ty) = self.expr(receiver)?;
        let Type::Object(class) = ty else { return Err("no object to run".into()) };
        let program = &self.vm.program;
        let run = match program.interface_method(&class, "run") {
            Some(method) => Some(&method.function),
            None => program.class(&class)?.method("run").map(|(_, method)| &method.function),
        };
        if !run.is_some_and(|run| run.parameters.is_empty() && run.result == Type::Int) {
            return Err(format!("{class} has no run() that gives a number").into());
        }
        self.check_null(receiver)?;
        let arguments = [receiver, self.thread()];
        Ok((self.code.call("vm_spawn", &arguments, Kind::Int)?, Type::Int))
    }

    /// Is it an object that the function was called with?
    fn is_argument(&self, receiver: &Expr) -> bool {
        match receiver {
            Expr::This => true,
            Expr::Name(name) => self.variable(name).is_ok_and(|variable| variable.is_argument),
            _ => false,
        }
    }

    fn arguments(
        &mut self,
        function: &Function,
        receiver: C::Value,
        arguments: &[Expr],
    ) -> Emitted<Vec<C::Value>> {
        let (name, wanted) = (&function.name, &function.parameters);
        if wanted.len() != arguments.len() {
            return Err(format!("{name} takes {}, not {}", wanted.len(), arguments.len()).into());
        }
        let mut values = vec![receiver, self.thread()];
        for (argument, (_, wanted)) in arguments.iter().zip(wanted) {
            let (value, ty) = self.expr(argument)?;
            self.check(&ty, wanted)?;
            values.push(value);
        }
        Ok(values)
    }

    fn finish_call(
        &mut self,
        function: &Function,
        symbol: &str,
        arguments: &[C::Value],
    ) -> Emitted<Typed<C>> {
        let ty = &function.result;
        Ok((self.code.call(symbol, arguments, kind(ty))?, ty.clone()))
    }

    /// The code that an object's dispatch table has for a method.
    fn entry(&mut self, object: C::Value, slot: usize) -> Emitted<C::Value> {
        let table = self.code.load(Kind::Pointer, object, 0)?;
        self.code.load_shared(Kind::Pointer, table, table::METHODS + 8 * slot as u64)
    }

    /// The inline cache of the next call of an interface's method.
    fn cache(&mut self, interface: &str, name: &str, method: u64) -> Emitted<String> {
        self.caches += 1;
        let cache = format!("{interface}.{name} {} in {}", self.caches, self.symbol);
        self.vm.cache(&cache, method)?;
        Ok(cache)
    }
}
