//! Calls, and where exceptions that they throw go on.
#![expect(unsafe_code, reason = "inkwell makes no landing pads of LLVM's type `token`")]

use inkwell::context::AsContextRef;
use inkwell::llvm_sys::core::{LLVMAddClause, LLVMBuildLandingPad, LLVMTokenTypeInContext};
use inkwell::types::{BasicMetadataTypeEnum, BasicType, FunctionType};
use inkwell::values::{AsValueRef, BasicMetadataValueEnum, PointerValue};

use super::{Code, Emitted, Function, Kind, Value};

impl<'ctx> Function<'_, 'ctx> {
    pub(super) fn function_type(
        &self,
        arguments: &[Value<'ctx>],
        result: Kind,
    ) -> FunctionType<'ctx> {
        let parameters = arguments.iter().map(|argument| argument.get_type().into());
        self.ty(result).fn_type(&parameters.collect::<Vec<BasicMetadataTypeEnum<'_>>>(), false)
    }

    pub(super) fn declared(&self, name: &str, ty: FunctionType<'ctx>) -> PointerValue<'ctx> {
        let module = self.building.module();
        let function = module.get_function(name);
        let function = function.unwrap_or_else(|| module.add_function(name, ty, None));
        function.as_global_value().as_pointer_value()
    }

    /// Calls code; within a `try`, so that it unwinds to its landing pad.
    pub(super) fn invoke(
        &mut self,
        code: PointerValue<'ctx>,
        arguments: &[Value<'ctx>],
        result: Kind,
    ) -> Emitted<Value<'ctx>> {
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
    pub(super) fn landing_pad(&self) {
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
