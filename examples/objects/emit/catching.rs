//! `throw` and `try`.
//!
//! A landing pad has a clause for each `try` around, and the machine's tables say which frame has one
//! that wants the exception. Which of a function's own it is, the code finds out: one landing pad
//! leads to the next one further out, also where a function with a `try` became part of another one.
#![expect(unsafe_code, reason = "inkwell makes no landing pads of LLVM's type `token`")]

use inkwell::context::AsContextRef;
use inkwell::llvm_sys::core::{LLVMAddClause, LLVMBuildLandingPad, LLVMTokenTypeInContext};
use inkwell::values::{AsValueRef, BasicValueEnum};

use super::super::syntax::{Catch, Stmt, Type};
use super::{Emitted, Emitter};

/// Where a thread has the exception that was thrown last.
const EXCEPTION: u64 = 16;

impl<'ctx> Emitter<'_, 'ctx> {
    pub(super) fn throw(&mut self, exception: BasicValueEnum<'ctx>) -> Emitted<()> {
        let ty = self.building.context().void_type();
        let ty = ty.fn_type(&[self.reference().into(), self.pointer().into()], false);
        self.invoke("vm_throw", ty, &[exception, self.thread()])?;
        self.builder.build_unreachable()?;
        Ok(())
    }

    pub(super) fn catching(&mut self, body: &[Stmt], catch: &Catch) -> Emitted<()> {
        let number = self.vm.program.class(&catch.class)?.number;
        let [pad, handler, pass, end] =
            ["pad", "catch", "pass", "end"].map(|name| self.new_block(name));
        self.tries.push((pad, number));
        self.block(body)?;
        self.builder.build_unconditional_branch(end)?;
        self.builder.position_at_end(pad);
        self.landing_pad()?;
        self.tries.pop();
        let place = self.word(self.thread().into_pointer_value(), EXCEPTION)?;
        let exception = self.builder.build_load(self.reference(), place, &catch.variable)?;
        let is_wanted = self.is_a(exception, number)?;
        self.builder.build_conditional_branch(is_wanted.into_int_value(), handler, pass)?;
        self.builder.position_at_end(pass);
        self.throw(exception)?;
        self.builder.position_at_end(handler);
        let outside = self.scope.len();
        self.declare(&catch.variable, Type::Object(catch.class.clone()), exception)?;
        self.block(&catch.body)?;
        self.scope.truncate(outside);
        self.go_on_at(end)
    }

    fn is_a(&mut self, object: BasicValueEnum<'ctx>, number: u64) -> Emitted<BasicValueEnum<'ctx>> {
        let context = self.building.context();
        let (bit, i64) = (context.bool_type(), context.i64_type());
        let ty = bit.fn_type(&[self.reference().into(), i64.into()], false);
        let is = self.invoke("vm_is_a", ty, &[object, i64.const_int(number, false).into()])?;
        Ok(is.expect("it gives a bit"))
    }

    /// The landing pad of the innermost `try`. Nothing can be taken from one where calls are
    /// statepoints: the exception is in the thread.
    fn landing_pad(&self) -> Emitted<()> {
        let context = self.building.context();
        let ty = context.i32_type().fn_type(&[], true);
        let personality = self.declared("vm_personality", ty);
        let clauses = self.tries.iter().rev().map(|&(_, number)| self.clause(number));
        // SAFETY: the builder stands at the start of a block, and all are of one context.
        unsafe {
            let token = LLVMTokenTypeInContext(context.as_ctx_ref());
            let builder = self.builder.as_mut_ptr();
            let pad = LLVMBuildLandingPad(
                builder,
                token,
                personality.as_value_ref(),
                self.tries.len() as u32,
                c"".as_ptr(),
            );
            clauses.for_each(|clause| LLVMAddClause(pad, clause.as_value_ref()));
        }
        Ok(())
    }

    /// The type of the exceptions of a class: its number, in a place of its own.
    fn clause(&self, number: u64) -> inkwell::values::PointerValue<'ctx> {
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
