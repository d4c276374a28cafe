//! From tree to code, when a function is first called: the function as a whole, and statements.
//!
//! Every function takes `(this, thread, parameters …)` and gives a number or a reference.

mod exprs;

use std::sync::{Arc, Weak};

use vmkit::{Error, Result};

use super::code::{Callee, Code, Kind};
use super::program::Class;
use super::syntax::{Checked, Function, Stmt, Type};
use super::vm::Vm;

/// A value and its type in the language.
type Typed<C> = (<C as Code>::Value, Type);

fn kind(ty: &str) -> Kind {
    if ty == "int" { Kind::Int } else { Kind::Reference }
}

/// What a function of the session is to do.
pub(crate) struct Body {
    pub(crate) vm: Weak<Vm>,
    pub(crate) symbol: String,
    /// The class whose method it is.
    pub(crate) class: Option<Arc<Class>>,
    pub(crate) function: Arc<Function>,
}

impl Body {
    /// The kinds of the function's parameters, and of what it gives.
    pub(crate) fn signature(&self) -> (Vec<Kind>, Kind) {
        let own = self.function.parameters.iter().map(|(_, ty)| kind(ty));
        let parameters = [Kind::Reference, Kind::Pointer].into_iter().chain(own);
        (parameters.collect(), kind(&self.function.result))
    }

    /// Says what the function does, in code.
    ///
    /// # Errors
    ///
    /// What is wrong with the program.
    pub(crate) fn emit(&self, code: &mut impl Code) -> Result<()> {
        let vm = self.vm.upgrade().ok_or_else(|| Error::other("the machine is gone"))?;
        let emitter = Emitter { vm: &vm, code, body: self, scope: Vec::new() };
        emitter.function().map_err(|error| Error::other(format!("{}: {error}", self.symbol)))
    }
}

/// A function under construction.
struct Emitter<'a, C: Code> {
    vm: &'a Vm,
    code: &'a mut C,
    body: &'a Body,
    scope: Vec<Variable<C>>,
}

struct Variable<C: Code> {
    name: String,
    ty: Type,
    place: C::Variable,
    /// Has it had its value since before the function was called?
    is_argument: bool,
}

impl<C: Code> Emitter<'_, C> {
    fn function(mut self) -> Checked<()> {
        let function = &self.body.function;
        if let Some(class) = &self.body.class {
            let this = self.code.parameter(0);
            self.declare("this", &class.name, this);
        }
        for (index, (name, ty)) in function.parameters.iter().enumerate() {
            let value = self.code.parameter(2 + index);
            self.declare(name, ty, value);
        }
        for argument in &mut self.scope {
            argument.is_argument = !function.assigned.contains(&argument.name);
        }
        self.block(&function.body)?;
        self.give_nothing();
        Ok(())
    }

    fn block(&mut self, body: &[Stmt]) -> Checked<()> {
        let outside = self.scope.len();
        body.iter().try_for_each(|statement| self.statement(statement))?;
        self.scope.truncate(outside);
        Ok(())
    }

    fn statement(&mut self, statement: &Stmt) -> Checked<()> {
        match statement {
            Stmt::Expr(expr) => drop(self.expr(expr)?),
            Stmt::Var(name, ty, value) => {
                let (value, found) = self.expr(value)?;
                let ty = ty.as_ref().unwrap_or(&found);
                self.vm.program.check(&found, ty)?;
                self.declare(name, ty, value);
            }
            Stmt::Set(name, value) => {
                let Variable { place, ty, .. } = self.variable(name)?;
                let (place, ty) = (*place, ty.clone());
                let value = self.expr_of(value, &ty)?;
                self.code.set(place, value);
            }
            Stmt::SetField(object, name, value) => {
                let (object, offset, ty) = self.field(object, name)?;
                let value = self.expr_of(value, &ty)?;
                self.code.store(object, offset, value);
            }
            Stmt::If(condition, then, otherwise) => {
                let condition = self.expr_of(condition, "int")?;
                let [yes, no, end] = self.new_blocks();
                self.code.branch(condition, yes, no);
                for (block, body) in [(yes, then), (no, otherwise)] {
                    self.code.begin(block);
                    self.block(body)?;
                    self.code.jump(end);
                }
                self.code.begin(end);
            }
            Stmt::While(condition, body) => {
                let [head, again, end] = self.new_blocks();
                self.go_on_at(head);
                let condition = self.expr_of(condition, "int")?;
                self.code.branch(condition, again, end);
                self.code.begin(again);
                self.block(body)?;
                self.code.jump(head);
                self.code.begin(end);
            }
            Stmt::Return(value) => {
                let value = self.expr_of(value, &self.body.function.result)?;
                self.code.give(value);
                // What comes behind it is dead.
                let [dead] = self.new_blocks();
                self.code.begin(dead);
            }
            Stmt::Try(body, (variable, class), handler) => {
                let number = self.vm.program.class(class)?.number;
                let end = self.code.new_block();
                self.code.begin_try(number);
                self.block(body)?;
                self.code.jump(end);
                let exception = self.code.end_try();
                self.declare(variable, class, exception);
                self.block(handler)?;
                self.scope.pop();
                self.go_on_at(end);
            }
        }
        Ok(())
    }

    fn new_blocks<const N: usize>(&mut self) -> [C::Block; N] {
        std::array::from_fn(|_| self.code.new_block())
    }

    /// Ends the block by going to another one, where it goes on.
    fn go_on_at(&mut self, block: C::Block) {
        self.code.jump(block);
        self.code.begin(block);
    }

    /// Returns 0 or null: where no `return` is, and where nothing gets to.
    fn give_nothing(&mut self) {
        let is_number = self.body.function.result == "int";
        let nothing = if is_number { self.code.int(0) } else { self.code.null() };
        self.code.give(nothing);
    }

    fn declare(&mut self, name: &str, ty: &str, value: C::Value) {
        let place = self.code.variable(kind(ty), value);
        self.scope.push(Variable { name: name.into(), ty: ty.into(), place, is_argument: false });
    }

    fn variable(&self, name: &str) -> Checked<&Variable<C>> {
        let found = self.scope.iter().rfind(|variable| variable.name == name);
        found.ok_or_else(|| format!("there is no variable {name}"))
    }
}
