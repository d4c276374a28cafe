//! From a function to Cranelift's IR.

use std::sync::{Arc, RwLock};

use vmkit::{Error, Result, Session};
use vmkit_cranelift::cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use vmkit_cranelift::cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind,
    TrapCode, Value, types,
};
use vmkit_cranelift::cranelift_codegen::isa::CallConv;
use vmkit_cranelift::cranelift_frontend::{FunctionBuilder, Variable};
use vmkit_cranelift::{Building, Cranelift, Level, Options};

use super::{Backend, LINE, STACK_LIMIT, TOO_DEEP};
use crate::names::Names;
use crate::syntax::{Expression, Function, Operator, Prototype};

pub(super) struct Compiler {
    functions: Cranelift,
    /// What is entered runs once: what it calls is compiled to stay, and not to be part of it.
    lines: Cranelift,
}

impl Compiler {
    /// # Errors
    ///
    /// Cranelift does not know this processor.
    pub(super) fn new(session: &Session) -> Result<Self> {
        let options = Options { level: Level::Speed, ..Options::default() };
        let functions = Cranelift::new(session, options)?;
        let lines = Cranelift::new(session, Options { inlining: false, ..options })?;
        Ok(Self { functions, lines })
    }
}

impl Backend for Compiler {
    fn define(&self, function: Function, _: &Arc<RwLock<Names>>) -> Result<()> {
        let Prototype { name, parameters } = &function.prototype;
        let compiler = if name == LINE { &self.lines } else { &self.functions };
        let convention = compiler.isa().default_call_conv();
        let signature = signature(convention, parameters.len());
        compiler.redefine_lazy(&name.clone(), signature, move |builder, building| {
            build(convention, builder, building, &function)
        })?;
        Ok(())
    }

    fn functions_inlined(&self) -> u64 {
        self.functions.functions_inlined() + self.lines.functions_inlined()
    }
}

/// The type of a function of so many parameters.
fn signature(convention: CallConv, parameters: usize) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::F64); parameters];
    signature.returns.push(AbiParam::new(types::F64));
    signature
}

/// Gives `builder` the body of `function`.
fn build(
    convention: CallConv,
    builder: &mut FunctionBuilder<'_>,
    building: &Building,
    function: &Function,
) -> Result<()> {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let arguments = builder.block_params(entry).to_vec();
    let mut generator = Generator { convention, builder, building, variables: Vec::new() };
    generator.check_stack();
    for (parameter, argument) in function.prototype.parameters.iter().zip(arguments) {
        generator.bind(parameter, argument);
    }
    let result = generator.expression(&function.body)?;
    generator.builder.ins().return_(&[result]);
    Ok(())
}

struct Generator<'a, 'f> {
    convention: CallConv,
    builder: &'a mut FunctionBuilder<'f>,
    building: &'a Building,
    /// Each variable, the innermost last.
    variables: Vec<(String, Variable)>,
}

impl Generator<'_, '_> {
    /// A recursion without end is an error of the program, not the end of this process. A slot of the
    /// stack says where the frame is, also when the function becomes part of another one.
    fn check_stack(&mut self) {
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
        let slot = self.builder.create_sized_stack_slot(slot);
        let frame = self.builder.ins().stack_addr(types::I64, slot, 0);
        let limit = self.building.data(self.builder.func, STACK_LIMIT);
        let limit = self.builder.ins().symbol_value(types::I64, limit);
        let limit = self.builder.ins().load(types::I64, MemFlagsData::trusted(), limit, 0);
        let [deep, body] = self.blocks();
        let is_deep = self.builder.ins().icmp(IntCC::UnsignedLessThan, frame, limit);
        self.builder.ins().brif(is_deep, deep, &[], body, &[]);
        self.builder.set_cold_block(deep);
        self.builder.switch_to_block(deep);
        let signature = Signature::new(self.convention);
        let too_deep = self.building.function(self.builder.func, TOO_DEEP, &signature);
        self.builder.ins().call(too_deep, &[]);
        self.builder.ins().trap(TrapCode::unwrap_user(1));
        self.builder.switch_to_block(body);
    }

    fn expression(&mut self, expression: &Expression) -> Result<Value> {
        match expression {
            Expression::Number(number) => Ok(self.number(*number)),
            Expression::Variable(name) => {
                let variable = self.variable(name)?;
                Ok(self.builder.use_var(variable))
            }
            Expression::Assign(name, value) => {
                let value = self.expression(value)?;
                let variable = self.variable(name)?;
                self.builder.def_var(variable, value);
                Ok(value)
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                Ok(self.operation(*operator, left, right))
            }
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::If(parts) => self.conditional(parts),
            Expression::For(variable, parts) => self.repetition(variable, parts),
            Expression::Var(bindings, body) => self.scope(bindings, body),
        }
    }

    fn number(&mut self, number: f64) -> Value {
        self.builder.ins().f64const(number)
    }

    fn operation(&mut self, operator: Operator, left: Value, right: Value) -> Value {
        match operator {
            Operator::Add => self.builder.ins().fadd(left, right),
            Operator::Subtract => self.builder.ins().fsub(left, right),
            Operator::Multiply => self.builder.ins().fmul(left, right),
            Operator::Divide => self.builder.ins().fdiv(left, right),
            Operator::Less => {
                let [yes, no] = [1.0, 0.0].map(|number| self.number(number));
                let less = self.builder.ins().fcmp(FloatCC::LessThan, left, right);
                self.builder.ins().select(less, yes, no)
            }
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expression]) -> Result<Value> {
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.expression(argument)?);
        }
        let signature = signature(self.convention, arguments.len());
        let callee = self.building.function(self.builder.func, name, &signature);
        let call = self.builder.ins().call(callee, &values);
        Ok(self.builder.inst_results(call)[0])
    }

    fn conditional(&mut self, parts: &[Expression; 3]) -> Result<Value> {
        let [condition, yes, no] = parts;
        let [then, otherwise, after] = self.blocks();
        let result = self.builder.append_block_param(after, types::F64);
        self.branch(condition, then, otherwise)?;
        for (block, value) in [(then, yes), (otherwise, no)] {
            self.builder.switch_to_block(block);
            let value = self.expression(value)?;
            self.builder.ins().jump(after, &[BlockArg::Value(value)]);
        }
        self.builder.switch_to_block(after);
        Ok(result)
    }

    fn repetition(&mut self, name: &str, parts: &[Expression; 4]) -> Result<Value> {
        let [start, condition, step, body] = parts;
        let [head, round, after] = self.blocks();
        let start = self.expression(start)?;
        let variable = self.bind(name, start);
        self.builder.ins().jump(head, &[]);
        self.builder.switch_to_block(head);
        self.branch(condition, round, after)?;
        self.builder.switch_to_block(round);
        self.expression(body)?;
        let step = self.expression(step)?;
        let value = self.builder.use_var(variable);
        let next = self.builder.ins().fadd(value, step);
        self.builder.def_var(variable, next);
        self.builder.ins().jump(head, &[]);
        self.builder.switch_to_block(after);
        self.variables.pop();
        Ok(self.number(0.0))
    }

    fn scope(&mut self, bindings: &[(String, Expression)], body: &Expression) -> Result<Value> {
        let outside = self.variables.len();
        for (name, value) in bindings {
            let value = self.expression(value)?;
            self.bind(name, value);
        }
        let value = self.expression(body)?;
        self.variables.truncate(outside);
        Ok(value)
    }

    /// Goes to `yes` if `condition` is neither 0 nor not a number.
    fn branch(&mut self, condition: &Expression, yes: Block, no: Block) -> Result<()> {
        let value = self.expression(condition)?;
        let zero = self.number(0.0);
        let holds = self.builder.ins().fcmp(FloatCC::OrderedNotEqual, value, zero);
        self.builder.ins().brif(holds, yes, &[], no, &[]);
        Ok(())
    }

    fn blocks<const N: usize>(&mut self) -> [Block; N] {
        std::array::from_fn(|_| self.builder.create_block())
    }

    /// Makes a variable with a value.
    fn bind(&mut self, name: &str, value: Value) -> Variable {
        let variable = self.builder.declare_var(types::F64);
        self.builder.def_var(variable, value);
        self.variables.push((name.into(), variable));
        variable
    }

    fn variable(&self, name: &str) -> Result<Variable> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        let found = found.ok_or_else(|| Error::other(format!("there is no variable {name}")))?;
        Ok(found.1)
    }
}
