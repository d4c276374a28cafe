//! Code by LLVM. Numbers are `i64`, references `ptr addrspace(1)`: of those, LLVM tells the collector
//! where they are at each call, and it puts the polls into functions that name a collector.

mod calls;

use std::mem::offset_of;

use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{BasicValue, BasicValueEnum, InstructionValue, PointerValue};
use inkwell::{AddressSpace, AtomicOrdering, IntPredicate};
use vmkit::{Error, Result, Session, SymbolId};
use vmkit_llvm::{Building, Level, Llvm, Options};

use super::super::emit::Body;
use super::super::heap::Local;
use super::{Arithmetic, Backend, Code, Comparison, Emitted, Kind};

pub(super) struct Compiler(Llvm);

impl Compiler {
    /// # Errors
    ///
    /// The system lacks what the runtime module needs.
    pub(super) fn new(session: &Session, optimizes: bool) -> Result<Self> {
        let level = if optimizes { Level::O2 } else { Level::O0 };
        let llvm = Llvm::new(session, Options { level, polls: true, ..Options::default() });
        llvm.runtime_module(include_bytes!("runtime.ll").to_vec())?;
        Ok(Self(llvm))
    }
}

impl Backend for Compiler {
    fn define(&self, name: &str, parameters: &[Kind], result: Kind, body: Body) -> Result<()> {
        let parameters: Vec<_> = parameters.iter().map(|&kind| written(kind)).collect();
        let signature = format!("{} ({})", written(result), parameters.join(", "));
        self.0.define_lazy(name, &signature, move |building| {
            let mut function = Function::new(building);
            body.emit(&mut function)?;
            function.finish().map_err(|error| Error::other(error.to_string()))
        })?;
        Ok(())
    }

    fn functions_inlined(&self) -> u64 {
        self.0.functions_inlined()
    }
}

/// A type as LLVM writes it.
fn written(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "i64",
        Kind::Reference => "ptr addrspace(1)",
        Kind::Pointer => "ptr",
    }
}

type Value<'ctx> = BasicValueEnum<'ctx>;

struct Function<'a, 'ctx> {
    building: &'a Building<'ctx>,
    builder: Builder<'ctx>,
    /// Puts variables at the start of the function, where LLVM makes registers of them.
    variables: Builder<'ctx>,
    body: BasicBlock<'ctx>,
    /// The `try`s around, the innermost last: where their landing pads are, and what they catch.
    tries: Vec<(BasicBlock<'ctx>, u64)>,
}

impl<'a, 'ctx> Function<'a, 'ctx> {
    fn new(building: &'a Building<'ctx>) -> Self {
        let (context, own) = (building.context(), building.function());
        own.set_gc("statepoint-example");
        let [entry, body] = ["entry", "body"].map(|name| context.append_basic_block(own, name));
        let [variables, builder] = [entry, body].map(|block| {
            let builder = context.create_builder();
            builder.position_at_end(block);
            builder
        });
        Self { building, builder, variables, body, tries: Vec::new() }
    }

    fn finish(self) -> Emitted<()> {
        self.variables.build_unconditional_branch(self.body)?;
        Ok(())
    }

    fn ty(&self, kind: Kind) -> BasicTypeEnum<'ctx> {
        let context = self.building.context();
        match kind {
            Kind::Int => context.i64_type().into(),
            Kind::Reference => context.ptr_type(AddressSpace::from(1)).into(),
            Kind::Pointer => context.ptr_type(AddressSpace::default()).into(),
        }
    }

    #[expect(unsafe_code, reason = "inkwell cannot know what is there")]
    fn word(&self, base: Value<'ctx>, offset: u64) -> Emitted<PointerValue<'ctx>> {
        let context = self.building.context();
        let offset = context.i64_type().const_int(offset, false);
        // SAFETY: only IR is made here; objects and tables have the words that are asked for.
        let word = unsafe {
            self.builder.build_gep(context.i8_type(), base.into_pointer_value(), &[offset], "")
        };
        Ok(word?)
    }
}

impl<'ctx> Code for Function<'_, 'ctx> {
    type Value = Value<'ctx>;
    type Block = BasicBlock<'ctx>;
    type Variable = (PointerValue<'ctx>, Kind);

    fn parameter(&self, index: usize) -> Value<'ctx> {
        let parameter = self.building.function().get_nth_param(index as u32);
        parameter.expect("the signature has as many")
    }

    fn int(&mut self, number: i64) -> Value<'ctx> {
        self.building.context().i64_type().const_int(number.cast_unsigned(), true).into()
    }

    fn null(&mut self) -> Value<'ctx> {
        self.ty(Kind::Reference).const_zero()
    }

    fn arithmetic(
        &mut self,
        operator: Arithmetic,
        sides: [Value<'ctx>; 2],
    ) -> Emitted<Value<'ctx>> {
        let [a, b] = sides.map(BasicValueEnum::into_int_value);
        Ok(match operator {
            Arithmetic::Add => self.builder.build_int_add(a, b, "")?.into(),
            Arithmetic::Subtract => self.builder.build_int_sub(a, b, "")?.into(),
            Arithmetic::Multiply => self.builder.build_int_mul(a, b, "")?.into(),
            Arithmetic::Divide => self.call("vm_divide", &sides, Kind::Int)?,
            Arithmetic::Remainder => self.call("vm_remainder", &sides, Kind::Int)?,
        })
    }

    fn compare(&mut self, comparison: Comparison, sides: [Value<'ctx>; 2]) -> Emitted<Value<'ctx>> {
        let predicate = match comparison {
            Comparison::Equal => IntPredicate::EQ,
            Comparison::NotEqual => IntPredicate::NE,
            Comparison::Less => IntPredicate::SLT,
            Comparison::LessEqual => IntPredicate::SLE,
            Comparison::Greater => IntPredicate::SGT,
            Comparison::GreaterEqual => IntPredicate::SGE,
        };
        let bit = if sides[0].is_pointer_value() {
            let [left, right] = sides.map(BasicValueEnum::into_pointer_value);
            self.builder.build_int_compare(predicate, left, right, "")?
        } else {
            let [left, right] = sides.map(BasicValueEnum::into_int_value);
            self.builder.build_int_compare(predicate, left, right, "")?
        };
        let i64 = self.building.context().i64_type();
        Ok(self.builder.build_int_z_extend(bit, i64, "")?.into())
    }

    fn variable(&mut self, kind: Kind, value: Value<'ctx>) -> Emitted<Self::Variable> {
        let variable = (self.variables.build_alloca(self.ty(kind), "")?, kind);
        self.set(variable, value)?;
        Ok(variable)
    }

    fn get(&mut self, (place, kind): Self::Variable) -> Emitted<Value<'ctx>> {
        Ok(self.builder.build_load(self.ty(kind), place, "")?)
    }

    fn set(&mut self, (place, _): Self::Variable, value: Value<'ctx>) -> Emitted<()> {
        self.builder.build_store(place, value)?;
        Ok(())
    }

    fn load(&mut self, kind: Kind, base: Value<'ctx>, offset: u64) -> Emitted<Value<'ctx>> {
        let place = self.word(base, offset)?;
        Ok(self.builder.build_load(self.ty(kind), place, "")?)
    }

    fn load_shared(&mut self, kind: Kind, base: Value<'ctx>, offset: u64) -> Emitted<Value<'ctx>> {
        let value = self.load(kind, base, offset)?;
        share(value.as_instruction_value().ok_or("a load is an instruction")?)?;
        Ok(value)
    }

    fn store_shared(&mut self, base: Value<'ctx>, offset: u64, value: Value<'ctx>) -> Emitted<()> {
        let place = self.word(base, offset)?;
        share(self.builder.build_store(place, value)?)
    }

    fn new_block(&mut self) -> BasicBlock<'ctx> {
        self.building.context().append_basic_block(self.building.function(), "")
    }

    fn begin(&mut self, block: BasicBlock<'ctx>) {
        self.builder.position_at_end(block);
    }

    fn jump(&mut self, block: BasicBlock<'ctx>) -> Emitted<()> {
        self.builder.build_unconditional_branch(block)?;
        Ok(())
    }

    fn repeat(&mut self, head: BasicBlock<'ctx>) -> Emitted<()> {
        self.jump(head)
    }

    fn branch(
        &mut self,
        condition: Value<'ctx>,
        yes: BasicBlock<'ctx>,
        no: BasicBlock<'ctx>,
    ) -> Emitted<()> {
        let number = condition.into_int_value();
        let zero = number.get_type().const_zero();
        let bit = self.builder.build_int_compare(IntPredicate::NE, number, zero, "")?;
        self.builder.build_conditional_branch(bit, yes, no)?;
        Ok(())
    }

    fn give(&mut self, value: Value<'ctx>) -> Emitted<()> {
        self.builder.build_return(Some(&value))?;
        Ok(())
    }

    fn never(&mut self) -> Emitted<()> {
        self.builder.build_unreachable()?;
        Ok(())
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Value<'ctx>],
        result: Kind,
    ) -> Emitted<Value<'ctx>> {
        let code = self.declared(name, self.function_type(arguments, result));
        self.invoke(code, arguments, result)
    }

    fn call_at(
        &mut self,
        code: Value<'ctx>,
        arguments: &[Value<'ctx>],
        result: Kind,
    ) -> Emitted<Value<'ctx>> {
        self.invoke(code.into_pointer_value(), arguments, result)
    }

    fn begin_try(&mut self, class: u64) {
        let pad = self.new_block();
        self.tries.push((pad, class));
    }

    /// Which of the function's own `try`s wants the exception, the code finds out: one landing pad
    /// leads to the next one further out, also where a function with a `try` became part of another.
    fn end_try(&mut self) -> Emitted<Value<'ctx>> {
        let &(pad, class) = self.tries.last().ok_or("no try to end")?;
        self.begin(pad);
        self.landing_pad();
        self.tries.pop();
        let thread = self.parameter(1);
        let place = offset_of!(Local, exception) as u64;
        let exception = self.load(Kind::Reference, thread, place)?;
        let class = self.int(class.cast_signed());
        let is_wanted = self.call("vm_is_a", &[exception, class], Kind::Int)?;
        let [handler, pass] = [self.new_block(), self.new_block()];
        self.branch(is_wanted, handler, pass)?;
        self.begin(pass);
        self.call("vm_throw", &[exception, thread], Kind::Int)?;
        self.never()?;
        self.begin(handler);
        Ok(exception)
    }

    fn assume(&mut self, assumption: SymbolId) {
        self.building.assume(assumption);
    }

    fn keep_apart(&mut self) {
        let kind = Attribute::get_named_enum_kind_id("noinline");
        let attribute = self.building.context().create_enum_attribute(kind, 0);
        self.building.function().add_attribute(AttributeLoc::Function, attribute);
    }
}

fn share(access: InstructionValue<'_>) -> Emitted<()> {
    access.set_alignment(8)?;
    access.set_atomic_ordering(AtomicOrdering::Monotonic)?;
    Ok(())
}
