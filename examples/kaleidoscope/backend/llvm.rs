//! From a function to LLVM's IR.

use std::sync::{Arc, RwLock};

use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::context::Context;
use inkwell::intrinsics::Intrinsic;
use inkwell::values::{FloatValue, FunctionValue, PointerValue};
use inkwell::{FloatPredicate, IntPredicate};
use vmkit::{Error, Result, Session};
use vmkit_llvm::{Building, Level, Llvm, Options};

use super::{Backend, LINE, STACK_LIMIT, TOO_DEEP};
use crate::machine::UNPOISONED;
use crate::names::Names;
use crate::syntax::{Expression, Function, Operator};

pub(super) struct Compiler(Llvm);

impl Compiler {
    pub(super) fn new(session: &Session) -> Self {
        Self(Llvm::new(session, Options { level: Level::O2, ..Options::default() }))
    }
}

impl Backend for Compiler {
    fn define(&self, function: Function, names: &Arc<RwLock<Names>>) -> Result<()> {
        let name = function.prototype.name.clone();
        let signature = signature(function.prototype.parameters.len());
        let names = names.clone();
        self.0.redefine_lazy(&name, &signature, move |building| {
            build(building, &function, &names.read().expect(UNPOISONED))
        })?;
        Ok(())
    }

    fn functions_inlined(&self) -> u64 {
        self.0.functions_inlined()
    }
}

/// The type of a function of so many parameters, as LLVM writes it.
fn signature(parameters: usize) -> String {
    format!("double ({})", vec!["double"; parameters].join(", "))
}

/// Gives `building` the body of `function`.
///
/// # Errors
///
/// LLVM refuses something.
fn build(building: &Building<'_>, function: &Function, names: &Names) -> Result<()> {
    let context = building.context();
    let builder = context.create_builder();
    let value = building.function();
    // Errors of the program unwind through its frames.
    value.add_attribute(AttributeLoc::Function, attribute(context, "uwtable", 2));
    builder.position_at_end(context.append_basic_block(value, "entry"));
    let runs_once = function.prototype.name == LINE;
    let mut generator =
        Generator { building, context, builder, names, runs_once, variables: Vec::new() };
    generator.check_stack()?;
    for (parameter, argument) in function.prototype.parameters.iter().zip(value.get_param_iter()) {
        generator.bind(parameter, argument.into_float_value())?;
    }
    let result = generator.expression(&function.body)?;
    generator.builder.build_return(Some(&result)).map_err(Error::other)?;
    Ok(())
}

fn attribute(context: &Context, name: &str, value: u64) -> Attribute {
    context.create_enum_attribute(Attribute::get_named_enum_kind_id(name), value)
}

struct Generator<'a, 'ctx> {
    building: &'a Building<'ctx>,
    context: &'ctx Context,
    builder: Builder<'ctx>,
    names: &'a Names,
    /// Whether it is gone once it has run.
    runs_once: bool,
    /// Where each variable is, the innermost last.
    variables: Vec<(String, PointerValue<'ctx>)>,
}

impl<'ctx> Generator<'_, 'ctx> {
    /// A recursion without end is an error of the program, not the end of this process.
    fn check_stack(&self) -> Result<()> {
        let (module, builder) = (self.building.module(), &self.builder);
        let (word, pointer) = (self.context.i64_type(), self.context.ptr_type(0.into()));
        let frame = Intrinsic::find("llvm.frameaddress");
        let frame = frame.and_then(|it| it.get_declaration(module, &[pointer.into()]));
        let frame = frame.ok_or_else(|| Error::other("LLVM knows no frames"))?;
        let level = self.context.i32_type().const_zero().into();
        let frame = builder.build_call(frame, &[level], "frame").map_err(Error::other)?;
        let frame = frame.try_as_basic_value().unwrap_basic().into_pointer_value();
        let frame = builder.build_ptr_to_int(frame, word, "frame").map_err(Error::other)?;
        let limit = module.add_global(word, None, STACK_LIMIT).as_pointer_value();
        let limit = builder.build_load(word, limit, "limit").map_err(Error::other)?;
        let limit = limit.into_int_value();
        let [deep, body] = ["deep", "body"].map(|name| self.block(name));
        let is_deep = builder.build_int_compare(IntPredicate::ULT, frame, limit, "is deep");
        let is_deep = is_deep.map_err(Error::other)?;
        builder.build_conditional_branch(is_deep, deep, body).map_err(Error::other)?;
        builder.position_at_end(deep);
        let too_deep =
            module.add_function(TOO_DEEP, self.context.void_type().fn_type(&[], false), None);
        builder.build_call(too_deep, &[], "").map_err(Error::other)?;
        builder.build_unreachable().map_err(Error::other)?;
        builder.position_at_end(body);
        Ok(())
    }

    fn expression(&mut self, expression: &Expression) -> Result<FloatValue<'ctx>> {
        match expression {
            Expression::Number(number) => Ok(self.number(*number)),
            Expression::Variable(name) => {
                let place = self.place(name)?;
                let value = self.builder.build_load(self.context.f64_type(), place, name);
                Ok(value.map_err(Error::other)?.into_float_value())
            }
            Expression::Assign(name, value) => {
                let value = self.expression(value)?;
                self.store(self.place(name)?, value)?;
                Ok(value)
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                self.operation(*operator, left, right)
            }
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::If(parts) => self.conditional(parts),
            Expression::For(variable, parts) => self.repetition(variable, parts),
            Expression::Var(bindings, body) => self.scope(bindings, body),
        }
    }

    fn number(&self, number: f64) -> FloatValue<'ctx> {
        self.context.f64_type().const_float(number)
    }

    fn operation(
        &self,
        operator: Operator,
        left: FloatValue<'ctx>,
        right: FloatValue<'ctx>,
    ) -> Result<FloatValue<'ctx>> {
        let builder = &self.builder;
        let result = match operator {
            Operator::Add => builder.build_float_add(left, right, "sum"),
            Operator::Subtract => builder.build_float_sub(left, right, "difference"),
            Operator::Multiply => builder.build_float_mul(left, right, "product"),
            Operator::Divide => builder.build_float_div(left, right, "quotient"),
            Operator::Less => {
                let less = builder.build_float_compare(FloatPredicate::OLT, left, right, "less");
                let less = less.map_err(Error::other)?;
                builder.build_unsigned_int_to_float(less, self.context.f64_type(), "less")
            }
        };
        result.map_err(Error::other)
    }

    fn call(&mut self, name: &str, arguments: &[Expression]) -> Result<FloatValue<'ctx>> {
        let callee = self.callee(name, arguments.len());
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.expression(argument)?.into());
        }
        let call = self.builder.build_call(callee, &values, "result").map_err(Error::other)?;
        if self.runs_once {
            // What it calls is compiled to stay; to compile it as part of this as well does not pay.
            call.add_attribute(AttributeLoc::Function, attribute(self.context, "noinline", 0));
        }
        Ok(call.try_as_basic_value().unwrap_basic().into_float_value())
    }

    /// The function of a name, declared if it has not been yet.
    fn callee(&self, name: &str, parameters: usize) -> FunctionValue<'ctx> {
        if let Some(known) = self.building.module().get_function(name) {
            return known;
        }
        let double = self.context.f64_type();
        let ty = double.fn_type(&vec![double.into(); parameters], false);
        let function = self.building.module().add_function(name, ty, None);
        if !self.names.is_extern(name) {
            // A program's own `sin` need not be the one that LLVM knows.
            let attribute = attribute(self.context, "nobuiltin", 0);
            function.add_attribute(AttributeLoc::Function, attribute);
        }
        function
    }

    fn conditional(&mut self, parts: &[Expression; 3]) -> Result<FloatValue<'ctx>> {
        let [condition, yes, no] = parts;
        let result = self.variable("if")?;
        let [then, otherwise, after] = ["then", "else", "after"].map(|name| self.block(name));
        self.branch(condition, then, otherwise)?;
        for (block, value) in [(then, yes), (otherwise, no)] {
            self.builder.position_at_end(block);
            let value = self.expression(value)?;
            self.store(result, value)?;
            self.builder.build_unconditional_branch(after).map_err(Error::other)?;
        }
        self.builder.position_at_end(after);
        let value = self.builder.build_load(self.context.f64_type(), result, "value");
        Ok(value.map_err(Error::other)?.into_float_value())
    }

    fn repetition(&mut self, name: &str, parts: &[Expression; 4]) -> Result<FloatValue<'ctx>> {
        let [start, condition, step, body] = parts;
        let [head, round, after] = ["head", "round", "after"].map(|name| self.block(name));
        let start = self.expression(start)?;
        let place = self.bind(name, start)?;
        self.builder.build_unconditional_branch(head).map_err(Error::other)?;
        self.builder.position_at_end(head);
        self.branch(condition, round, after)?;
        self.builder.position_at_end(round);
        self.expression(body)?;
        let step = self.expression(step)?;
        let value = self.builder.build_load(self.context.f64_type(), place, name);
        let value = value.map_err(Error::other)?.into_float_value();
        self.store(place, self.operation(Operator::Add, value, step)?)?;
        self.builder.build_unconditional_branch(head).map_err(Error::other)?;
        self.builder.position_at_end(after);
        self.variables.pop();
        Ok(self.number(0.0))
    }

    fn scope(
        &mut self,
        bindings: &[(String, Expression)],
        body: &Expression,
    ) -> Result<FloatValue<'ctx>> {
        let outside = self.variables.len();
        for (name, value) in bindings {
            let value = self.expression(value)?;
            self.bind(name, value)?;
        }
        let value = self.expression(body)?;
        self.variables.truncate(outside);
        Ok(value)
    }

    /// Goes to `yes` if `condition` is neither 0 nor not a number.
    fn branch(
        &mut self,
        condition: &Expression,
        yes: BasicBlock<'ctx>,
        no: BasicBlock<'ctx>,
    ) -> Result<()> {
        let value = self.expression(condition)?;
        let zero = self.number(0.0);
        let holds = self.builder.build_float_compare(FloatPredicate::ONE, value, zero, "holds");
        let holds = holds.map_err(Error::other)?;
        self.builder.build_conditional_branch(holds, yes, no).map_err(Error::other)?;
        Ok(())
    }

    fn block(&self, name: &str) -> BasicBlock<'ctx> {
        self.context.append_basic_block(self.building.function(), name)
    }

    /// Makes a variable with a value.
    fn bind(&mut self, name: &str, value: FloatValue<'ctx>) -> Result<PointerValue<'ctx>> {
        let place = self.variable(name)?;
        self.store(place, value)?;
        self.variables.push((name.into(), place));
        Ok(place)
    }

    /// Room for a variable, in the entry block: LLVM makes registers of those.
    fn variable(&self, name: &str) -> Result<PointerValue<'ctx>> {
        let entry = self.building.function().get_first_basic_block();
        let entry = entry.ok_or_else(|| Error::other("a function without an entry"))?;
        let builder = self.context.create_builder();
        match entry.get_first_instruction() {
            Some(first) => builder.position_before(&first),
            None => builder.position_at_end(entry),
        }
        builder.build_alloca(self.context.f64_type(), name).map_err(Error::other)
    }

    fn store(&self, place: PointerValue<'ctx>, value: FloatValue<'ctx>) -> Result<()> {
        self.builder.build_store(place, value).map_err(Error::other)?;
        Ok(())
    }

    fn place(&self, name: &str) -> Result<PointerValue<'ctx>> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        let found = found.ok_or_else(|| Error::other(format!("there is no variable {name}")))?;
        Ok(found.1)
    }
}
