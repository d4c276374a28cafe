//! Code by LLVM. Numbers are `i64`, references `ptr addrspace(1)`: of those, LLVM tells the collector
//! where they are at each call, and it puts the polls into functions that name a collector.
#![expect(unsafe_code, reason = "inkwell makes no landing pads of LLVM's type `token`")]

use std::mem::offset_of;

use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::context::AsContextRef;
use inkwell::llvm_sys::core::{LLVMAddClause, LLVMBuildLandingPad, LLVMTokenTypeInContext};
use inkwell::types::{BasicMetadataTypeEnum, BasicType, BasicTypeEnum, FunctionType};
use inkwell::values::{
    AsValueRef, BasicMetadataValueEnum, BasicValue, BasicValueEnum, InstructionValue, PointerValue,
};
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

    fn functions_inlined(&self) -> Option<u64> {
        Some(self.0.functions_inlined())
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

    fn function_type(
        &self,
        arguments: &[BasicValueEnum<'ctx>],
        result: Kind,
    ) -> FunctionType<'ctx> {
        let parameters = arguments.iter().map(|argument| argument.get_type().into());
        self.ty(result).fn_type(&parameters.collect::<Vec<BasicMetadataTypeEnum<'_>>>(), false)
    }

    fn declared(&self, name: &str, ty: FunctionType<'ctx>) -> PointerValue<'ctx> {
        let module = self.building.module();
        let function = module.get_function(name);
        let function = function.unwrap_or_else(|| module.add_function(name, ty, None));
        function.as_global_value().as_pointer_value()
    }

    fn word(&self, base: BasicValueEnum<'ctx>, offset: u64) -> Emitted<PointerValue<'ctx>> {
        let context = self.building.context();
        let offset = context.i64_type().const_int(offset, false);
        // SAFETY: only IR is made here; objects and tables have the words that are asked for.
        let word = unsafe {
            self.builder.build_gep(context.i8_type(), base.into_pointer_value(), &[offset], "")
        };
        Ok(word?)
    }

    /// Calls code; within a `try`, so that it unwinds to its landing pad.
    fn invoke(
        &mut self,
        code: PointerValue<'ctx>,
        arguments: &[BasicValueEnum<'ctx>],
        result: Kind,
    ) -> Emitted<BasicValueEnum<'ctx>> {
        let ty = self.function_type(arguments, result);
        let call = if let Some(&(pad, _)) = self.tries.last() {
            let next = self.new_block();
            let call = self.builder.build_indirect_invoke(ty, code, arguments, next, pad, "")?;
            self.begin(next);
            call
        } else {
            let arguments = arguments.iter().copied().map(BasicMetadataValueEnum::from);
            let arguments: Vec<_> = arguments.collect();
            self.builder.build_indirect_call(ty, code, &arguments, "")?
        };
        Ok(call.try_as_basic_value().basic().ok_or("a call without a value")?)
    }

    /// A landing pad has a clause for each `try` around, and the machine's tables say which frame has
    /// one that wants the exception. Nothing can be taken from one where calls are statepoints: the
    /// exception is in the thread.
    fn landing_pad(&self) {
        let context = self.building.context();
        let ty = context.i32_type().fn_type(&[], true);
        let personality = self.declared("vm_personality", ty);
        let clauses = self.tries.iter().rev().map(|&(_, number)| self.clause(number));
        // SAFETY: the builder stands at the start of a block, and all are of one context.
        unsafe {
            let token = LLVMTokenTypeInContext(context.as_ctx_ref());
            let pad = LLVMBuildLandingPad(
                self.builder.as_mut_ptr(),
                token,
                personality.as_value_ref(),
                self.tries.len() as u32,
                c"".as_ptr(),
            );
            clauses.for_each(|clause| LLVMAddClause(pad, clause.as_value_ref()));
        }
    }

    /// The type of the exceptions of a class: its number, in a place of its own.
    fn clause(&self, number: u64) -> PointerValue<'ctx> {
        let (module, i64) = (self.building.module(), self.building.context().i64_type());
        let name = format!("class {number}");
        let global = module.get_global(&name).unwrap_or_else(|| {
            let global = module.add_global(i64, None, &name);
            global.set_initializer(&i64.const_int(number, false));
            global.set_constant(true);
            global
        });
        global.as_pointer_value()
    }
}

impl<'ctx> Code for Function<'_, 'ctx> {
    type Value = BasicValueEnum<'ctx>;
    type Block = BasicBlock<'ctx>;
    type Variable = (PointerValue<'ctx>, Kind);

    fn parameter(&self, index: usize) -> Self::Value {
        let parameter = self.building.function().get_nth_param(index as u32);
        parameter.expect("the signature has as many")
    }

    fn int(&mut self, number: i64) -> Self::Value {
        self.building.context().i64_type().const_int(number.cast_unsigned(), true).into()
    }

    fn null(&mut self) -> Self::Value {
        self.ty(Kind::Reference).const_zero()
    }

    fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: Self::Value,
        right: Self::Value,
    ) -> Emitted<Self::Value> {
        let [a, b] = [left, right].map(BasicValueEnum::into_int_value);
        Ok(match operator {
            Arithmetic::Add => self.builder.build_int_add(a, b, "")?.into(),
            Arithmetic::Subtract => self.builder.build_int_sub(a, b, "")?.into(),
            Arithmetic::Multiply => self.builder.build_int_mul(a, b, "")?.into(),
            Arithmetic::Divide => self.call("vm_divide", &[left, right], Kind::Int)?,
            Arithmetic::Remainder => self.call("vm_remainder", &[left, right], Kind::Int)?,
        })
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: Self::Value,
        right: Self::Value,
    ) -> Emitted<Self::Value> {
        let predicate = match comparison {
            Comparison::Equal => IntPredicate::EQ,
            Comparison::NotEqual => IntPredicate::NE,
            Comparison::Less => IntPredicate::SLT,
            Comparison::LessEqual => IntPredicate::SLE,
            Comparison::Greater => IntPredicate::SGT,
            Comparison::GreaterEqual => IntPredicate::SGE,
        };
        let bit = if left.is_pointer_value() {
            let [left, right] = [left, right].map(BasicValueEnum::into_pointer_value);
            self.builder.build_int_compare(predicate, left, right, "")?
        } else {
            let [left, right] = [left, right].map(BasicValueEnum::into_int_value);
            self.builder.build_int_compare(predicate, left, right, "")?
        };
        let i64 = self.building.context().i64_type();
        Ok(self.builder.build_int_z_extend(bit, i64, "")?.into())
    }

    fn variable(&mut self, kind: Kind, value: Self::Value) -> Emitted<Self::Variable> {
        let variable = (self.variables.build_alloca(self.ty(kind), "")?, kind);
        self.set(variable, value)?;
        Ok(variable)
    }

    fn get(&mut self, (place, kind): Self::Variable) -> Emitted<Self::Value> {
        Ok(self.builder.build_load(self.ty(kind), place, "")?)
    }

    fn set(&mut self, (place, _): Self::Variable, value: Self::Value) -> Emitted<()> {
        self.builder.build_store(place, value)?;
        Ok(())
    }

    fn load(&mut self, kind: Kind, base: Self::Value, offset: u64) -> Emitted<Self::Value> {
        let place = self.word(base, offset)?;
        Ok(self.builder.build_load(self.ty(kind), place, "")?)
    }

    fn load_shared(&mut self, kind: Kind, base: Self::Value, offset: u64) -> Emitted<Self::Value> {
        let value = self.load(kind, base, offset)?;
        share(value.as_instruction_value().ok_or("a load is an instruction")?)?;
        Ok(value)
    }

    fn store_shared(&mut self, base: Self::Value, offset: u64, value: Self::Value) -> Emitted<()> {
        let place = self.word(base, offset)?;
        share(self.builder.build_store(place, value)?)
    }

    fn new_block(&mut self) -> Self::Block {
        self.building.context().append_basic_block(self.building.function(), "")
    }

    fn begin(&mut self, block: Self::Block) {
        self.builder.position_at_end(block);
    }

    fn jump(&mut self, block: Self::Block) -> Emitted<()> {
        self.builder.build_unconditional_branch(block)?;
        Ok(())
    }

    fn repeat(&mut self, head: Self::Block) -> Emitted<()> {
        self.jump(head)
    }

    fn branch(&mut self, condition: Self::Value, yes: Self::Block, no: Self::Block) -> Emitted<()> {
        let number = condition.into_int_value();
        let zero = number.get_type().const_zero();
        let bit = self.builder.build_int_compare(IntPredicate::NE, number, zero, "")?;
        self.builder.build_conditional_branch(bit, yes, no)?;
        Ok(())
    }

    fn give(&mut self, value: Self::Value) -> Emitted<()> {
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
        arguments: &[Self::Value],
        result: Kind,
    ) -> Emitted<Self::Value> {
        let code = self.declared(name, self.function_type(arguments, result));
        self.invoke(code, arguments, result)
    }

    fn call_at(
        &mut self,
        code: Self::Value,
        arguments: &[Self::Value],
        result: Kind,
    ) -> Emitted<Self::Value> {
        self.invoke(code.into_pointer_value(), arguments, result)
    }

    fn begin_try(&mut self, class: u64) {
        let pad = self.new_block();
        self.tries.push((pad, class));
    }

    /// Which of the function's own `try`s wants the exception, the code finds out: one landing pad
    /// leads to the next one further out, also where a function with a `try` became part of another.
    fn end_try(&mut self) -> Emitted<Self::Value> {
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
