//! Code by Cranelift. All values are `i64`; those that are references are declared to be, so that
//! Cranelift keeps them in the frame at each call, and tells the collector where.

mod calls;
mod runtime;

use vmkit::{Result, Session, SymbolId};
use vmkit_cranelift::cranelift_codegen::ir::condcodes::IntCC;
use vmkit_cranelift::cranelift_codegen::ir::{
    AbiParam, Block, ExceptionTag, InstBuilder, MemFlagsData, Signature, Value, types,
};
use vmkit_cranelift::cranelift_codegen::isa::CallConv;
use vmkit_cranelift::cranelift_frontend::{FunctionBuilder, Variable};
use vmkit_cranelift::{Building, Cranelift, Level, Options};

use super::{Backend, Callee, Code, Kind};

const TRUSTED: MemFlagsData = MemFlagsData::trusted();

/// # Errors
///
/// Cranelift does not know this processor.
pub(super) fn start(session: &Session, optimizes: bool) -> Result<Backend> {
    let level = if optimizes { Level::Speed } else { Level::None };
    let cranelift = Cranelift::new(session, Options { level, polls: true, ..Options::default() })?;
    runtime::define(&cranelift)?;
    let convention = cranelift.isa().default_call_conv();
    Ok(Box::new(move |body| {
        let (name, kinds) = (body.symbol.clone(), body.signature().0);
        cranelift.define_lazy(
            &name,
            signature(convention, kinds.len()),
            move |builder, building| {
                let mut function = Function::new(convention, builder, building);
                for (index, &kind) in kinds.iter().enumerate() {
                    function.declare(kind, function.parameters[index]);
                }
                body.emit(&mut function)
            },
        )?;
        Ok(())
    }))
}

/// The type of a function of so many parameters.
fn signature(convention: CallConv, parameters: usize) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::I64); parameters];
    signature.returns.push(AbiParam::new(types::I64));
    signature
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

    fn binary(&mut self, operator: &str, left: Value, right: Value) -> Value {
        let condition = match operator {
            "+" => return self.builder.ins().iadd(left, right),
            "-" => return self.builder.ins().isub(left, right),
            "*" => return self.builder.ins().imul(left, right),
            "/" => return self.builder.ins().sdiv(left, right),
            "%" => return self.builder.ins().srem(left, right),
            "==" => IntCC::Equal,
            "!=" => IntCC::NotEqual,
            "<" => IntCC::SignedLessThan,
            "<=" => IntCC::SignedLessThanOrEqual,
            ">" => IntCC::SignedGreaterThan,
            _ => IntCC::SignedGreaterThanOrEqual,
        };
        let bit = self.builder.ins().icmp(condition, left, right);
        self.builder.ins().uextend(types::I64, bit)
    }

    fn variable(&mut self, kind: Kind, value: Value) -> Variable {
        let variable = self.builder.declare_var(types::I64);
        if kind == Kind::Reference {
            self.builder.declare_var_needs_stack_map(variable);
        }
        self.set(variable, value);
        variable
    }

    fn get(&mut self, variable: Variable) -> Value {
        self.builder.use_var(variable)
    }

    fn set(&mut self, variable: Variable, value: Value) {
        self.builder.def_var(variable, value);
    }

    fn load(&mut self, kind: Kind, base: Value, offset: u64) -> Value {
        // Cranelift forgets what it has loaded at an atomic load, as there is one in each loop: the poll.
        let value = self.builder.ins().load(types::I64, TRUSTED, base, offset as i32);
        self.declare(kind, value)
    }

    fn store(&mut self, base: Value, offset: u64, value: Value) {
        self.builder.ins().store(TRUSTED, value, base, offset as i32);
    }

    fn new_block(&mut self) -> Block {
        self.builder.create_block()
    }

    fn begin(&mut self, block: Block) {
        self.builder.switch_to_block(block);
    }

    fn jump(&mut self, block: Block) {
        self.builder.ins().jump(block, &[]);
    }

    fn branch(&mut self, condition: Value, yes: Block, no: Block) {
        self.builder.ins().brif(condition, yes, &[], no, &[]);
    }

    fn give(&mut self, value: Value) {
        self.builder.ins().return_(&[value]);
    }

    fn call(&mut self, callee: Callee<'_>, arguments: &[Value], result: Kind) -> Value {
        let value = self.invoke(callee, arguments);
        self.declare(result, value)
    }

    fn begin_try(&mut self, class: usize) {
        let handler = self.builder.create_block();
        let exception = self.builder.append_block_param(handler, types::I64);
        self.declare(Kind::Reference, exception);
        self.tries.push((ExceptionTag::from_u32(class as u32), handler));
    }

    fn end_try(&mut self) -> Value {
        let (_, handler) = self.tries.pop().expect("a try that was begun");
        self.begin(handler);
        self.builder.block_params(handler)[0]
    }

    fn assume(&mut self, assumption: SymbolId) {
        self.building.assume(assumption);
    }

    fn keep_apart(&mut self) {
        self.building.keep_apart();
    }
}
