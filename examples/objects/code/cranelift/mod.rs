//! Code by Cranelift. All values are `i64`; those that are references are declared to be, so that
//! Cranelift keeps them in the frame at each call, and tells the collector where.

mod calls;
mod runtime;

use vmkit::{Result, Session, SymbolId};
use vmkit_cranelift::cranelift_codegen::ir::condcodes::IntCC;
use vmkit_cranelift::cranelift_codegen::ir::{
    AbiParam, Block, ExceptionTag, InstBuilder, MemFlagsData, Signature, TrapCode, Value, types,
};
use vmkit_cranelift::cranelift_codegen::isa::CallConv;
use vmkit_cranelift::cranelift_frontend::{FunctionBuilder, Variable};
use vmkit_cranelift::{Building, Cranelift, Level, Options};

use super::super::emit::Body;
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
        let cranelift =
            Cranelift::new(session, Options { level, polls: true, ..Options::default() })?;
        runtime::define(&cranelift)?;
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
            body.emit(&mut function)
        })?;
        Ok(())
    }

    fn functions_inlined(&self) -> u64 {
        self.0.functions_inlined()
    }
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

    fn arithmetic(&mut self, operator: Arithmetic, sides: [Value; 2]) -> Emitted<Value> {
        let [left, right] = sides;
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

    fn compare(&mut self, comparison: Comparison, sides: [Value; 2]) -> Emitted<Value> {
        let condition = match comparison {
            Comparison::Equal => IntCC::Equal,
            Comparison::NotEqual => IntCC::NotEqual,
            Comparison::Less => IntCC::SignedLessThan,
            Comparison::LessEqual => IntCC::SignedLessThanOrEqual,
            Comparison::Greater => IntCC::SignedGreaterThan,
            Comparison::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
        };
        let bit = self.builder.ins().icmp(condition, sides[0], sides[1]);
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
        // Cranelift forgets what it has loaded at an atomic load, as there is one in each loop: the poll.
        self.load(kind, base, offset)
    }

    fn store_shared(&mut self, base: Value, offset: u64, value: Value) -> Emitted<()> {
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
        let value = self.invoke(name, arguments);
        Ok(self.declare(result, value))
    }

    fn call_at(&mut self, code: Value, arguments: &[Value], result: Kind) -> Emitted<Value> {
        let value = self.invoke_at(code, arguments);
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
