//! Calls, and where exceptions that they throw go on.

use vmkit_cranelift::cranelift_codegen::ir::{
    Block, BlockArg, ExceptionTable, ExceptionTableData, ExceptionTableItem, FuncRef, InstBuilder,
    SigRef, Value, types,
};

use super::{Callee, Code, Function, Kind, signature};

/// What is called, once it is known to Cranelift.
enum Target {
    Function(FuncRef),
    Code(Value),
}

impl Function<'_, '_> {
    /// Calls code; within a `try`, with its handlers.
    pub(super) fn invoke(&mut self, callee: Callee<'_>, arguments: &[Value]) -> Value {
        let signature = signature(self.convention, arguments.len());
        let (target, signature) = match callee {
            Callee::Named(name) => {
                let function = self.building.function(self.builder.func, name, &signature);
                (Target::Function(function), self.builder.func.dfg.ext_funcs[function].signature)
            }
            Callee::Method(index) => {
                let table = self.load(Kind::Pointer, arguments[0], 0);
                let code = self.load(Kind::Pointer, table, 8 * index);
                (Target::Code(code), self.builder.import_signature(signature))
            }
        };
        if self.tries.is_empty() {
            let call = match target {
                Target::Function(function) => self.builder.ins().call(function, arguments),
                Target::Code(code) => self.builder.ins().call_indirect(signature, code, arguments),
            };
            return self.builder.inst_results(call)[0];
        }
        let handlers = self.handlers();
        let (next, result, table) = self.table(signature, handlers);
        match target {
            Target::Code(code) => self.builder.ins().try_call_indirect(code, arguments, table),
            Target::Function(function) => self.builder.ins().try_call(function, arguments, table),
        };
        self.builder.switch_to_block(next);
        result
    }

    /// What catches exceptions here, the innermost first. Each goes straight to its `catch`.
    fn handlers(&mut self) -> Vec<ExceptionTableItem> {
        let dfg = &mut self.builder.func.dfg;
        let handlers = self.tries.iter().rev().map(|&(tag, handler)| {
            let target = dfg.block_call(handler, &[BlockArg::TryCallExn(0)]);
            ExceptionTableItem::Tag(tag, target)
        });
        handlers.collect()
    }

    /// Where a call with handlers goes on, what it gives there, and its table.
    pub(super) fn table(
        &mut self,
        signature: SigRef,
        handlers: Vec<ExceptionTableItem>,
    ) -> (Block, Value, ExceptionTable) {
        let [next] = self.blocks();
        let result = self.builder.append_block_param(next, types::I64);
        let dfg = &mut self.builder.func.dfg;
        let returned = dfg.block_call(next, &[BlockArg::TryCallRet(0)]);
        let table = ExceptionTableData::new(signature, returned, handlers);
        (next, result, dfg.exception_tables.push(table))
    }
}
