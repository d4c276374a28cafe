//! Calls, and how little a call of a method costs.
//!
//! A method that no loaded class overrides can be called directly, and inlined, under the assumption
//! that it stays so. When a class that overrides it is loaded, the code is outdated; but a frame that
//! is in it by then goes on. That is right as long as the receiver is one that the frame's function
//! was called with: it was there before the class was, so it is of another class (Detlefs and Agesen,
//! "Inlining of virtual methods", 1999: preexistence). So only those calls are made direct.

use inkwell::types::{BasicMetadataTypeEnum, FunctionType};
use inkwell::values::{BasicMetadataValueEnum, BasicValueEnum, PointerValue};

use super::super::program::Class;
use super::super::syntax::{Expr, Function, Type};
use super::super::vm::table;
use super::{Emitted, Emitter, Typed};

impl<'ctx> Emitter<'_, 'ctx> {
    /// Calls a function.
    pub(super) fn call(&mut self, name: &str, arguments: &[Expr]) -> Emitted<Typed<'ctx>> {
        let function = self.vm.program.functions.get(name).cloned();
        let function = function.ok_or_else(|| format!("there is no function {name}"))?;
        let nobody = self.reference().const_null().into();
        let arguments = self.arguments(&function, nobody, arguments)?;
        self.finish_call(&function, &format!("fn {name}"), &arguments)
    }

    /// Calls a method.
    pub(super) fn send(
        &mut self,
        receiver: &Expr,
        name: &str,
        arguments: &[Expr],
    ) -> Emitted<Typed<'ctx>> {
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
            self.building.assume(assumption);
            self.has_assumed = true;
            return self.finish_call(&method.function, &symbol, &arguments);
        }
        let code = self.entry(receiver, slot)?;
        let ty = self.function_type(&method.function);
        let result = self.invoke_at(code, ty, &arguments)?.expect("every function gives something");
        Ok((result, method.function.result.clone()))
    }

    /// Makes an object, and has its method `init` called, if it has one.
    pub(super) fn create(&mut self, name: &str, arguments: &[Expr]) -> Emitted<Typed<'ctx>> {
        let class: &Class = &self.vm.clone().program.class(name)?.clone();
        let ty = self.reference().fn_type(&[self.reference().into(), self.pointer().into()], false);
        let nobody = self.reference().const_null().into();
        if !self.vm.is_loaded(class) {
            // Once it is, what makes the object can be inlined.
            self.building.assume(self.vm.is_not_loaded(class));
        }
        let object = self.invoke(&format!("new {name}"), ty, &[nobody, self.thread()])?;
        let object = object.expect("it gives an object");
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
    pub(super) fn spawn(&mut self, receiver: &Expr) -> Emitted<Typed<'ctx>> {
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
        let ty = self.thread_call(self.reference().into());
        let thread = self.invoke("vm_spawn", ty, &[receiver, self.thread()])?;
        Ok((thread.expect("it gives a number"), Type::Int))
    }

    /// The type of natives that take something and the thread, and give a number.
    pub(super) fn thread_call(&self, first: BasicMetadataTypeEnum<'ctx>) -> FunctionType<'ctx> {
        let i64 = self.building.context().i64_type();
        i64.fn_type(&[first, self.pointer().into()], false)
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
        receiver: BasicValueEnum<'ctx>,
        arguments: &[Expr],
    ) -> Emitted<Vec<BasicValueEnum<'ctx>>> {
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
        arguments: &[BasicValueEnum<'ctx>],
    ) -> Emitted<Typed<'ctx>> {
        let result = self.invoke(symbol, self.function_type(function), arguments)?;
        Ok((result.expect("every function gives something"), function.result.clone()))
    }

    /// The code that an object's dispatch table has for a method.
    fn entry(&self, object: BasicValueEnum<'ctx>, slot: usize) -> Emitted<PointerValue<'ctx>> {
        let pointer = self.pointer().into();
        let header = self.builder.build_load(pointer, object.into_pointer_value(), "")?;
        let place = self.word(header.into_pointer_value(), table::METHODS + 8 * slot as u64)?;
        Ok(self.load_shared(pointer, place)?.into_pointer_value())
    }

    /// The inline cache of the next call of an interface's method.
    fn cache(&mut self, interface: &str, name: &str, method: u64) -> Emitted<String> {
        self.caches += 1;
        let own = self.building.function().get_name().to_string_lossy().into_owned();
        let cache = format!("{interface}.{name} {} in {own}", self.caches);
        self.vm.cache(&cache, method)?;
        Ok(cache)
    }

    /// Calls what has this name.
    pub(super) fn invoke(
        &mut self,
        name: &str,
        ty: FunctionType<'ctx>,
        arguments: &[BasicValueEnum<'ctx>],
    ) -> Emitted<Option<BasicValueEnum<'ctx>>> {
        let code = self.declared(name, ty).as_global_value().as_pointer_value();
        self.invoke_at(code, ty, arguments)
    }

    /// Calls code; within a `try`, so that it unwinds to its landing pad. What it gives, if anything.
    fn invoke_at(
        &mut self,
        code: PointerValue<'ctx>,
        ty: FunctionType<'ctx>,
        arguments: &[BasicValueEnum<'ctx>],
    ) -> Emitted<Option<BasicValueEnum<'ctx>>> {
        let call = match self.tries.last() {
            None => {
                let arguments = arguments.iter().copied().map(BasicMetadataValueEnum::from);
                let arguments: Vec<_> = arguments.collect();
                self.builder.build_indirect_call(ty, code, &arguments, "")?
            }
            Some(&(pad, _)) => {
                let next = self.new_block("next");
                let call =
                    self.builder.build_indirect_invoke(ty, code, arguments, next, pad, "")?;
                self.builder.position_at_end(next);
                call
            }
        };
        Ok(call.try_as_basic_value().basic())
    }
}
