//! From tree to IR, when a function is first called: the function as a whole.
//!
//! Every function takes `(this, thread, parameters …)`; numbers are `i64`, references
//! `ptr addrspace(1)`: those are what the collector finds in frames.

mod calls;
mod catching;
mod exprs;
mod stmts;

use std::collections::HashSet;
use std::error::Error as StdError;
use std::sync::{Arc, Weak};

use inkwell::AddressSpace;
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::types::{BasicMetadataTypeEnum, BasicType, BasicTypeEnum, FunctionType};
use inkwell::values::{BasicValueEnum, FunctionValue, PointerValue};
use vmkit::{Addr, Error, Result};
use vmkit_llvm::Building;

use super::program::Class;
use super::syntax::{Function, Stmt, Type};
use super::vm::Vm;

type Emitted<T> = std::result::Result<T, Box<dyn StdError>>;
/// A value and its type in the language.
type Typed<'ctx> = (BasicValueEnum<'ctx>, Type);

pub(crate) fn is_reference(ty: &Type) -> bool {
    *ty != Type::Int
}

/// A type as LLVM writes it.
fn written(ty: &Type) -> &'static str {
    if is_reference(ty) { "ptr addrspace(1)" } else { "i64" }
}

fn signature(function: &Function) -> String {
    let parameters = function.parameters.iter().map(|(_, ty)| format!(", {}", written(ty)));
    let parameters: String = parameters.collect();
    format!("{} (ptr addrspace(1), ptr{parameters})", written(&function.result))
}

/// Defines a method or a function, whose IR is built when it is first called.
pub(crate) fn define(
    vm: &Arc<Vm>,
    symbol: &str,
    class: Option<&Arc<Class>>,
    function: &Arc<Function>,
) -> Result<()> {
    let (machine, class, body) = (Arc::downgrade(vm), class.cloned(), function.clone());
    let name = symbol.to_owned();
    vm.llvm.define_lazy(symbol, &signature(function), move |building| {
        let vm = upgrade(&machine)?;
        let emitter = Emitter::new(&vm, building, class.as_deref(), &body);
        let done = emitter.and_then(|emitter| emitter.function(&body));
        done.map_err(|error| Error::other(format!("{name}: {error}")))
    })?;
    Ok(())
}

/// Defines what makes an object of a class that has been loaded.
pub(crate) fn define_new(vm: &Arc<Vm>, class: &Arc<Class>, table: Addr) -> Result<()> {
    let name = format!("new {}", class.name);
    let size = 8 + 8 * class.fields.len() as u64;
    let machine = Arc::downgrade(vm);
    vm.llvm.define_lazy(&name, "ptr addrspace(1) (ptr addrspace(1), ptr)", move |building| {
        let vm = upgrade(&machine)?;
        let nothing = Function {
            name: String::new(),
            parameters: Vec::new(),
            result: Type::Null,
            body: Vec::new(),
        };
        let emitter = Emitter::new(&vm, building, None, &nothing);
        emitter.and_then(|emitter| emitter.new_object(size, table)).map_err(Error::other)
    })?;
    Ok(())
}

fn upgrade(vm: &Weak<Vm>) -> Result<Arc<Vm>> {
    vm.upgrade().ok_or_else(|| Error::other("the machine is gone"))
}

/// A function under construction.
struct Emitter<'a, 'ctx> {
    vm: &'a Arc<Vm>,
    building: &'a Building<'ctx>,
    class: Option<&'a Class>,
    builder: Builder<'ctx>,
    /// Puts variables at the start of the function.
    variables: Builder<'ctx>,
    scope: Vec<Variable<'ctx>>,
    /// The `try`s around, the innermost last: where their landing pads are, and what they catch.
    tries: Vec<(BasicBlock<'ctx>, u64)>,
    /// How many inline caches it has.
    caches: usize,
    has_assumed: bool,
    result: Type,
}

struct Variable<'ctx> {
    name: String,
    ty: Type,
    place: PointerValue<'ctx>,
    /// Has it had its value since before the function was called?
    is_argument: bool,
}

impl<'a, 'ctx> Emitter<'a, 'ctx> {
    fn new(
        vm: &'a Arc<Vm>,
        building: &'a Building<'ctx>,
        class: Option<&'a Class>,
        function: &Function,
    ) -> Emitted<Self> {
        let (context, own) = (building.context(), building.function());
        own.set_gc("statepoint-example");
        let [entry, body] = ["entry", "body"].map(|name| context.append_basic_block(own, name));
        let [variables, builder] = [entry, body].map(|block| {
            let builder = context.create_builder();
            builder.position_at_end(block);
            builder
        });
        let mut this = Self {
            vm,
            building,
            class,
            builder,
            variables,
            scope: Vec::new(),
            tries: Vec::new(),
            caches: 0,
            has_assumed: false,
            result: function.result.clone(),
        };
        let mut assigned = HashSet::new();
        collect_assigned(&function.body, &mut assigned);
        for ((name, ty), value) in function.parameters.iter().zip(own.get_param_iter().skip(2)) {
            this.declare(name, ty.clone(), value)?;
            this.scope.last_mut().expect("declared").is_argument = !assigned.contains(&**name);
        }
        Ok(this)
    }

    fn function(mut self, function: &Function) -> Emitted<()> {
        self.block(&function.body)?;
        // Where no `return` is, nothing is returned.
        let nothing = self.llvm_type(&function.result).const_zero();
        self.builder.build_return(Some(&nothing))?;
        if self.has_assumed {
            self.stay_apart();
        }
        self.finish()
    }

    fn new_object(mut self, size: u64, table: Addr) -> Emitted<()> {
        let (i64, pointer) = (self.building.context().i64_type(), self.pointer());
        let ty = self.reference().fn_type(&[pointer.into(), i64.into(), pointer.into()], false);
        let table = i64.const_int(table.0, false).const_to_pointer(pointer);
        let arguments = [self.thread(), i64.const_int(size, false).into(), table.into()];
        let object = self.invoke("vm_allocate", ty, &arguments)?;
        self.builder.build_return(Some(&object.expect("it gives an object")))?;
        self.finish()
    }

    fn finish(self) -> Emitted<()> {
        let body = self.building.function().get_basic_blocks()[1];
        self.variables.build_unconditional_branch(body)?;
        Ok(())
    }

    /// Keeps the function from being inlined. What it assumes is true of objects that were there when
    /// it was called (see calls.rs); inlined, it would begin before its call.
    fn stay_apart(&self) {
        let kind = Attribute::get_named_enum_kind_id("noinline");
        let attribute = self.building.context().create_enum_attribute(kind, 0);
        self.building.function().add_attribute(AttributeLoc::Function, attribute);
    }

    fn thread(&self) -> BasicValueEnum<'ctx> {
        self.building.function().get_nth_param(1).expect("every function has it")
    }

    fn this(&self) -> BasicValueEnum<'ctx> {
        self.building.function().get_first_param().expect("every function has it")
    }

    fn pointer(&self) -> inkwell::types::PointerType<'ctx> {
        self.building.context().ptr_type(AddressSpace::default())
    }

    fn reference(&self) -> inkwell::types::PointerType<'ctx> {
        self.building.context().ptr_type(AddressSpace::from(1))
    }

    fn llvm_type(&self, ty: &Type) -> BasicTypeEnum<'ctx> {
        match ty {
            Type::Int => self.building.context().i64_type().into(),
            _ => self.reference().into(),
        }
    }

    fn function_type(&self, function: &Function) -> FunctionType<'ctx> {
        let mut parameters: Vec<BasicMetadataTypeEnum<'ctx>> =
            vec![self.reference().into(), self.pointer().into()];
        parameters.extend(
            function
                .parameters
                .iter()
                .map(|(_, ty)| BasicMetadataTypeEnum::from(self.llvm_type(ty))),
        );
        self.llvm_type(&function.result).fn_type(&parameters, false)
    }

    fn declared(&self, name: &str, ty: FunctionType<'ctx>) -> FunctionValue<'ctx> {
        let module = self.building.module();
        module.get_function(name).unwrap_or_else(|| module.add_function(name, ty, None))
    }

    fn new_block(&self, name: &str) -> BasicBlock<'ctx> {
        self.building.context().append_basic_block(self.building.function(), name)
    }

    /// Ends the block by going to another one, where it goes on.
    fn go_on_at(&self, block: BasicBlock<'ctx>) -> Emitted<()> {
        self.builder.build_unconditional_branch(block)?;
        self.builder.position_at_end(block);
        Ok(())
    }

    /// Code behind a statement that does not come back.
    fn start_dead_block(&self) {
        self.builder.position_at_end(self.new_block("dead"));
    }

    fn declare(&mut self, name: &str, ty: Type, value: BasicValueEnum<'ctx>) -> Emitted<()> {
        let place = self.variables.build_alloca(self.llvm_type(&ty), name)?;
        self.builder.build_store(place, value)?;
        self.scope.push(Variable { name: name.into(), ty, place, is_argument: false });
        Ok(())
    }

    fn variable(&self, name: &str) -> Emitted<&Variable<'ctx>> {
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
