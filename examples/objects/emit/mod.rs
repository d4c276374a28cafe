//! From tree to code, when a function is first called: the function as a whole.
//!
//! Every function takes `(this, thread, parameters …)` and gives a number or a reference.

mod calls;
mod catching;
mod exprs;
mod stmts;

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use vmkit::{Addr, Error, Result};

use super::code::{Code, Emitted, Kind};
use super::program::Class;
use super::syntax::{Function, Stmt, Type};
use super::vm::Vm;

/// A value and its type in the language.
type Typed<C> = (<C as Code>::Value, Type);

pub(crate) fn kind(ty: &Type) -> Kind {
    if *ty == Type::Int { Kind::Int } else { Kind::Reference }
}

/// Defines a method or a function, which is built when it is first called.
pub(crate) fn define(
    vm: &Arc<Vm>,
    symbol: &str,
    class: Option<&Arc<Class>>,
    function: &Arc<Function>,
) -> Result<()> {
    let mut parameters = vec![Kind::Reference, Kind::Pointer];
    parameters.extend(function.parameters.iter().map(|(_, ty)| kind(ty)));
    let what = What::Function(class.cloned(), function.clone());
    let body = Body { vm: Arc::downgrade(vm), symbol: symbol.into(), what };
    vm.backend.define(symbol, &parameters, kind(&function.result), body)
}

/// Defines what makes an object of a class that has been loaded.
pub(crate) fn define_new(vm: &Arc<Vm>, class: &Class, table: Addr) -> Result<()> {
    let symbol = format!("new {}", class.name);
    let what = What::New { size: class.size(), table };
    let body = Body { vm: Arc::downgrade(vm), symbol: symbol.clone(), what };
    vm.backend.define(&symbol, &[Kind::Reference, Kind::Pointer], Kind::Reference, body)
}

/// What a function of the session is to do.
pub(crate) struct Body {
    vm: Weak<Vm>,
    symbol: String,
    what: What,
}

enum What {
    /// That of a method, with its class, or of a function.
    Function(Option<Arc<Class>>, Arc<Function>),
    /// Makes an object of so many bytes, with this dispatch table.
    New { size: u64, table: Addr },
}

impl Body {
    /// Says what the function does, in code.
    ///
    /// # Errors
    ///
    /// What is wrong with the program.
    pub(crate) fn emit(&self, code: &mut impl Code) -> Result<()> {
        let vm = self.vm.upgrade().ok_or_else(|| Error::other("the machine is gone"))?;
        let done = match &self.what {
            What::Function(class, function) => {
                Emitter::new(&vm, code, &self.symbol, class.as_deref(), function).function(function)
            }
            What::New { size, table } => new_object(code, *size, *table),
        };
        done.map_err(|error| Error::other(format!("{}: {error}", self.symbol)))
    }
}

fn new_object(code: &mut impl Code, size: u64, table: Addr) -> Emitted<()> {
    let [size, table] = [size, table.0].map(|number| code.int(number.cast_signed()));
    let object = code.call("vm_allocate", &[code.parameter(1), size, table], Kind::Reference)?;
    code.give(object)
}

/// A function under construction.
struct Emitter<'a, C: Code> {
    vm: &'a Arc<Vm>,
    code: &'a mut C,
    symbol: &'a str,
    class: Option<&'a Class>,
    scope: Vec<Variable<C>>,
    /// How many inline caches it has.
    caches: usize,
    has_assumed: bool,
    result: &'a Type,
}

struct Variable<C: Code> {
    name: String,
    ty: Type,
    place: C::Variable,
    /// Has it had its value since before the function was called?
    is_argument: bool,
}

impl<'a, C: Code> Emitter<'a, C> {
    fn new(
        vm: &'a Arc<Vm>,
        code: &'a mut C,
        symbol: &'a str,
        class: Option<&'a Class>,
        function: &'a Function,
    ) -> Self {
        let (scope, result) = (Vec::new(), &function.result);
        Self { vm, code, symbol, class, scope, caches: 0, has_assumed: false, result }
    }

    fn function(mut self, function: &Function) -> Emitted<()> {
        let mut assigned = HashSet::new();
        collect_assigned(&function.body, &mut assigned);
        for (index, (name, ty)) in function.parameters.iter().enumerate() {
            let value = self.code.parameter(index + 2);
            let variable = self.declare(name, ty.clone(), value)?;
            variable.is_argument = !assigned.contains(&**name);
        }
        self.block(&function.body)?;
        // Where no `return` is, nothing is returned.
        let nothing =
            if kind(self.result) == Kind::Int { self.code.int(0) } else { self.code.null() };
        self.code.give(nothing)?;
        if self.has_assumed {
            // What it assumes is true of objects that were there when it was called (see calls.rs);
            // inlined, it would begin before its call.
            self.code.keep_apart();
        }
        Ok(())
    }

    fn this(&self) -> C::Value {
        self.code.parameter(0)
    }

    fn thread(&self) -> C::Value {
        self.code.parameter(1)
    }

    fn new_blocks<const N: usize>(&mut self) -> [C::Block; N] {
        std::array::from_fn(|_| self.code.new_block())
    }

    /// Ends the block by going to another one, where it goes on.
    fn go_on_at(&mut self, block: C::Block) -> Emitted<()> {
        self.code.jump(block)?;
        self.code.begin(block);
        Ok(())
    }

    /// Code behind a statement that does not come back.
    fn begin_dead_block(&mut self) {
        let dead = self.code.new_block();
        self.code.begin(dead);
    }

    fn declare(&mut self, name: &str, ty: Type, value: C::Value) -> Emitted<&mut Variable<C>> {
        let place = self.code.variable(kind(&ty), value)?;
        self.scope.push(Variable { name: name.into(), ty, place, is_argument: false });
        Ok(self.scope.last_mut().expect("pushed above"))
    }

    fn variable(&self, name: &str) -> Emitted<&Variable<C>> {
        let found = self.scope.iter().rfind(|variable| variable.name == name);
        found.ok_or_else(|| format!("there is no variable {name}").into())
    }

    fn check(&self, from: &Type, to: &Type) -> Emitted<()> {
        match self.vm.program.fits(from, to) {
            true => Ok(()),
            false => Err(format!("{} wanted, not {}", name_of(to), name_of(from)).into()),
        }
    }
}

fn name_of(ty: &Type) -> &str {
    match ty {
        Type::Int => "int",
        Type::Null => "null",
        Type::Object(name) => name,
    }
}

/// The names of the variables that statements assign to.
fn collect_assigned<'s>(body: &'s [Stmt], names: &mut HashSet<&'s str>) {
    use super::syntax::Expr;
    for statement in body {
        match statement {
            Stmt::Assign(Expr::Name(name), _) => {
                names.insert(name);
            }
            Stmt::If(_, then, otherwise) => {
                collect_assigned(then, names);
                collect_assigned(otherwise, names);
            }
            Stmt::While(_, body) => collect_assigned(body, names),
            Stmt::Try(body, catch) => {
                collect_assigned(body, names);
                collect_assigned(&catch.body, names);
            }
            _ => {}
        }
    }
}
