//! Code by Cranelift. All values are `i64`; those that are references are declared to be, so that
//! Cranelift keeps them in the frame at each call, and tells the collector where.

use std::mem::offset_of;

use vmkit::{Result, Session, SymbolId};
use vmkit_cranelift::cranelift_codegen::ir::condcodes::IntCC;
use vmkit_cranelift::cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, ExceptionTable, ExceptionTableData, ExceptionTableItem,
    ExceptionTag, InstBuilder, MemFlagsData, SigRef, Signature, TrapCode, Value, types,
};
use vmkit_cranelift::cranelift_codegen::isa::CallConv;
use vmkit_cranelift::cranelift_frontend::{FunctionBuilder, Variable};
use vmkit_cranelift::{Building, Cranelift, Level, Options};

use super::super::emit::Body;
use super::super::heap::Local;
use super::{Arithmetic, Backend, Code, Comparison, Emitted, Kind};

/// Why the processor traps where nothing gets to.
const NEVER: TrapCode = TrapCode::unwrap_user(1);
const TRUSTED: MemFlagsData = MemFlagsData::trusted();

pub(super) struct Compiler(Cranelift);

impl Compiler {
    /// # Errors
    ///
    /// Cranelift does not know this processor.
    pub(super) fn new(session: &Session, optimizes: bool) -> Result<Self> {
        let level = if optimizes { Level::Speed } else { Level::None };
        let cranelift = Cranelift::new(session, Options { level, ..Options::default() })?;
        let convention = cranelift.isa().default_call_conv();
        cranelift.define_lazy(
            "vm_allocate",
            signature(convention, 3),
            move |builder, building| {
                allocate(&mut Function::new(convention, builder, building));
                Ok(())
            },
        )?;
        cranelift.define_lazy("vm_enter", signature(convention, 2), move |builder, building| {
            enter(&mut Function::new(convention, builder, building));
            Ok(())
        })?;
        Ok(Self(cranelift))
    }
}

impl Backend for Compiler {
    fn define(&self, name: &str, parameters: &[Kind], _: Kind, body: Body) -> Result<()> {
        let convention = self.0.isa().default_call_conv();
        let (signature, kinds) = (signature(convention, parameters.len()), parameters.to_vec());
        self.0.define_lazy(name, signature, move |builder, building| {
            let mut function = Function::new(convention, builder, building);
            for (index, &kind) in kinds.iter().enumerate() {
                function.declare(kind, function.parameters[index]);
            }
            function.poll();
            body.emit(&mut function)
        })?;
        Ok(())
    }

    fn functions_inlined(&self) -> Option<u64> {
        None
    }
}

/// The type of a function of so many parameters.
fn signature(convention: CallConv, parameters: usize) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::I64); parameters];
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

/// `vm_allocate`: a new object, all of whose fields are 0 or null, since memory is cleared before a
/// thread gets it.
fn allocate(function: &mut Function<'_, '_>) {
    let [thread, size, table] = [0, 1, 2].map(|index| function.parameters[index]);
    let [fast, slow] = function.blocks();
    let [next, limit] = [offset_of!(Local, next), offset_of!(Local, limit)].map(|at| at as i32);
    let builder = &mut *function.builder;
    let object = builder.ins().load(types::I64, TRUSTED, thread, next);
    let limit = builder.ins().load(types::I64, TRUSTED, thread, limit);
    let end = builder.ins().iadd(object, size);
    let fits = builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, end, limit);
    builder.ins().brif(fits, fast, &[], slow, &[]);
    builder.switch_to_block(fast);
    builder.ins().store(TRUSTED, end, thread, next);
    builder.ins().store(TRUSTED, table, object, 0);
    builder.ins().return_(&[object]);
    builder.set_cold_block(slow);
    builder.switch_to_block(slow);
    let object = function.call_named("vm_allocate_slow", &[thread, size]);
    function.builder.ins().store(TRUSTED, table, object, 0);
    function.builder.ins().return_(&[object]);
}

/// `vm_enter`: runs a method of the thread's object or a function, which takes nothing, and catches
/// whatever it throws.
fn enter(function: &mut Function<'_, '_>) {
    let [code, thread] = [0, 1].map(|index| function.parameters[index]);
    let [pad] = function.blocks();
    let receiver = offset_of!(Local, receiver) as i32;
    let receiver = function.builder.ins().load(types::I64, TRUSTED, thread, receiver);
    let signature = function.builder.import_signature(signature(function.convention, 2));
    let to_pad = function.builder.func.dfg.block_call(pad, &[]);
    let (next, result, table) =
        function.table(signature, vec![ExceptionTableItem::Default(to_pad)]);
    function.builder.ins().try_call_indirect(code, &[receiver, thread], table);
    function.builder.switch_to_block(next);
    function.builder.ins().return_(&[result]);
    function.builder.switch_to_block(pad);
    let (yes, nothing) = (function.int(1), function.int(0));
    let uncaught = offset_of!(Local, uncaught) as i32;
    function.builder.ins().store(TRUSTED, yes, thread, uncaught);
    function.builder.ins().return_(&[nothing]);
}

struct Function<'a, 'f> {
    convention: CallConv,
    builder: &'a mut FunctionBuilder<'f>,
    building: &'a Building,
    parameters: Vec<Value>,
    /// The `try`s around, the innermost last: what they catch, and where that goes on.
    tries: Vec<(ExceptionTag, Block)>,
}

impl<'a, 'f> Function<'a, 'f> {
    fn new(
        convention: CallConv,
        builder: &'a mut FunctionBuilder<'f>,
        building: &'a Building,
    ) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let parameters = builder.block_params(entry).to_vec();
        Self { convention, builder, building, parameters, tries: Vec::new() }
    }

    fn blocks<const N: usize>(&mut self) -> [Block; N] {
        std::array::from_fn(|_| self.builder.create_block())
    }

    fn declare(&mut self, kind: Kind, value: Value) -> Value {
        if kind == Kind::Reference {
            self.builder.declare_value_needs_stack_map(value);
        }
        value
    }

    /// Stops while somebody wants this thread to.
    fn poll(&mut self) {
        let [stop, go_on] = self.blocks();
        let flag = self.building.data(self.builder.func, "vmkit_safepoint_flag");
        let flag = self.builder.ins().symbol_value(types::I64, flag);
        let is_raised = self.builder.ins().atomic_load(types::I32, TRUSTED, flag);
        self.builder.ins().brif(is_raised, stop, &[], go_on, &[]);
        self.builder.set_cold_block(stop);
        self.builder.switch_to_block(stop);
        let mut takes_flag = signature(self.convention, 1);
        takes_flag.returns.clear();
        let entry = self.building.function(self.builder.func, "vmkit_safepoint", &takes_flag);
        self.builder.ins().call(entry, &[flag]);
        self.builder.ins().jump(go_on, &[]);
        self.builder.switch_to_block(go_on);
    }

    fn call_named(&mut self, name: &str, arguments: &[Value]) -> Value {
        let signature = signature(self.convention, arguments.len());
        let callee = self.building.function(self.builder.func, name, &signature);
        if self.tries.is_empty() {
            let call = self.builder.ins().call(callee, arguments);
            return self.builder.inst_results(call)[0];
        }
        let signature = self.builder.func.dfg.ext_funcs[callee].signature;
        let handlers = self.handlers();
        let (next, result, table) = self.table(signature, handlers);
        self.builder.ins().try_call(callee, arguments, table);
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
    fn table(
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

impl Code for Function<'_, '_> {
    type Value = Value;
    type Block = Block;
    type Variable = Variable;

    fn parameter(&self, index: usize) -> Value {
        self.parameters[index]
    }

    fn int(&mut self, number: i64) -> Value {
        self.builder.ins().iconst(types::I64, number)
    }

    fn null(&mut self) -> Value {
        self.int(0)
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: Value, right: Value) -> Emitted<Value> {
        Ok(match operator {
            Arithmetic::Add => self.builder.ins().iadd(left, right),
            Arithmetic::Subtract => self.builder.ins().isub(left, right),
            Arithmetic::Multiply => self.builder.ins().imul(left, right),
            Arithmetic::Divide => {
                // The processor traps where the quotient is too large.
                let (one, negated) = (self.int(1), self.builder.ins().ineg(left));
                let is_minus = self.builder.ins().icmp_imm_s(IntCC::Equal, right, -1);
                let divisor = self.builder.ins().select(is_minus, one, right);
                let quotient = self.builder.ins().sdiv(left, divisor);
                self.builder.ins().select(is_minus, negated, quotient)
            }
            Arithmetic::Remainder => self.builder.ins().srem(left, right),
        })
    }

    fn compare(&mut self, comparison: Comparison, left: Value, right: Value) -> Emitted<Value> {
        let condition = match comparison {
            Comparison::Equal => IntCC::Equal,
            Comparison::NotEqual => IntCC::NotEqual,
            Comparison::Less => IntCC::SignedLessThan,
            Comparison::LessEqual => IntCC::SignedLessThanOrEqual,
            Comparison::Greater => IntCC::SignedGreaterThan,
            Comparison::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
        };
        let bit = self.builder.ins().icmp(condition, left, right);
        Ok(self.builder.ins().uextend(types::I64, bit))
    }

    fn variable(&mut self, kind: Kind, value: Value) -> Emitted<Variable> {
        let variable = self.builder.declare_var(types::I64);
        if kind == Kind::Reference {
            self.builder.declare_var_needs_stack_map(variable);
        }
        self.set(variable, value)?;
        Ok(variable)
    }

    fn get(&mut self, variable: Variable) -> Emitted<Value> {
        Ok(self.builder.use_var(variable))
    }

    fn set(&mut self, variable: Variable, value: Value) -> Emitted<()> {
        self.builder.def_var(variable, value);
        Ok(())
    }

    fn load(&mut self, kind: Kind, base: Value, offset: u64) -> Emitted<Value> {
        let value = self.builder.ins().load(types::I64, TRUSTED, base, offset as i32);
        Ok(self.declare(kind, value))
    }

    fn load_shared(&mut self, kind: Kind, base: Value, offset: u64) -> Emitted<Value> {
        let place = self.builder.ins().iadd_imm_u(base, offset.cast_signed());
        // Only of an atomic load Cranelift does not think that it gives the same as the last time.
        let value = self.builder.ins().atomic_load(types::I64, TRUSTED, place);
        Ok(self.declare(kind, value))
    }

    fn store_shared(&mut self, base: Value, offset: u64, value: Value) -> Emitted<()> {
        // An atomic one would wait until the others see it.
        self.builder.ins().store(TRUSTED, value, base, offset as i32);
        Ok(())
    }

    fn new_block(&mut self) -> Block {
        self.builder.create_block()
    }

    fn begin(&mut self, block: Block) {
        self.builder.switch_to_block(block);
    }

    fn jump(&mut self, block: Block) -> Emitted<()> {
        self.builder.ins().jump(block, &[]);
        Ok(())
    }

    fn repeat(&mut self, head: Block) -> Emitted<()> {
        self.poll();
        self.jump(head)
    }

    fn branch(&mut self, condition: Value, yes: Block, no: Block) -> Emitted<()> {
        self.builder.ins().brif(condition, yes, &[], no, &[]);
        Ok(())
    }

    fn give(&mut self, value: Value) -> Emitted<()> {
        self.builder.ins().return_(&[value]);
        Ok(())
    }

    fn never(&mut self) -> Emitted<()> {
        self.builder.ins().trap(NEVER);
        Ok(())
    }

    fn call(&mut self, name: &str, arguments: &[Value], result: Kind) -> Emitted<Value> {
        let value = self.call_named(name, arguments);
        Ok(self.declare(result, value))
    }

    fn call_at(&mut self, code: Value, arguments: &[Value], result: Kind) -> Emitted<Value> {
        let signature = signature(self.convention, arguments.len());
        let signature = self.builder.import_signature(signature);
        let value = if self.tries.is_empty() {
            let call = self.builder.ins().call_indirect(signature, code, arguments);
            self.builder.inst_results(call)[0]
        } else {
            let handlers = self.handlers();
            let (next, value, table) = self.table(signature, handlers);
            self.builder.ins().try_call_indirect(code, arguments, table);
            self.builder.switch_to_block(next);
            value
        };
        Ok(self.declare(result, value))
    }

    fn begin_try(&mut self, class: u64) {
        let handler = self.builder.create_block();
        let exception = self.builder.append_block_param(handler, types::I64);
        self.declare(Kind::Reference, exception);
        self.tries.push((ExceptionTag::from_u32(class as u32), handler));
    }

    fn end_try(&mut self) -> Emitted<Value> {
        let (_, handler) = self.tries.pop().ok_or("no try to end")?;
        self.begin(handler);
        Ok(self.builder.block_params(handler)[0])
    }

    fn assume(&mut self, assumption: SymbolId) {
        self.building.assume(assumption);
    }

    fn keep_apart(&mut self) {
        self.building.keep_apart();
    }
}
