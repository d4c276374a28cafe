//! Expressions.

use inkwell::AtomicOrdering;
use inkwell::IntPredicate;
use inkwell::values::{BasicValue, BasicValueEnum, InstructionValue, IntValue, PointerValue};

use super::super::syntax::{Expr, Type};
use super::{Emitted, Emitter, Typed};

const COMPARISONS: [(&str, IntPredicate); 6] = [
    ("==", IntPredicate::EQ),
    ("!=", IntPredicate::NE),
    ("<", IntPredicate::SLT),
    ("<=", IntPredicate::SLE),
    (">", IntPredicate::SGT),
    (">=", IntPredicate::SGE),
];

impl<'ctx> Emitter<'_, 'ctx> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Emitted<Typed<'ctx>> {
        let i64 = self.building.context().i64_type();
        match expr {
            Expr::Int(number) => Ok((i64.const_int(*number as u64, true).into(), Type::Int)),
            Expr::Null => Ok((self.reference().const_null().into(), Type::Null)),
            Expr::This => {
                let class = self.class.ok_or("`this` is only in methods")?;
                Ok((self.this(), Type::Object(class.name.clone())))
            }
            Expr::Name(name) => {
                let variable = self.variable(name)?;
                let ty = variable.ty.clone();
                let value = self.builder.build_load(self.llvm_type(&ty), variable.place, name)?;
                Ok((value, ty))
            }
            Expr::Field(object, name) => {
                let object = self.expr(object)?;
                let (place, ty) = self.field(object, name)?;
                Ok((self.load_shared(self.llvm_type(&ty), place)?, ty))
            }
            Expr::Negate(number) => {
                let number = self.int(number)?;
                Ok((self.builder.build_int_neg(number, "")?.into(), Type::Int))
            }
            Expr::Binary(operator @ ("&&" | "||"), left, right) => {
                Ok((self.short(operator, left, right)?.into(), Type::Int))
            }
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                Ok((self.binary(operator, left, right)?, Type::Int))
            }
            Expr::Call(name, arguments) => self.call(name, arguments),
            Expr::Send(receiver, name, arguments) => self.send(receiver, name, arguments),
            Expr::New(class, arguments) => self.create(class, arguments),
            Expr::Spawn(receiver) => self.spawn(receiver),
            Expr::Join(thread) => {
                let (thread, ty) = (self.int(thread)?, self.thread_call(i64.into()));
                let number = self.invoke("vm_join", ty, &[thread.into(), self.thread()])?;
                Ok((number.expect("it gives a number"), Type::Int))
            }
        }
    }

    /// A number.
    pub(super) fn int(&mut self, expr: &Expr) -> Emitted<IntValue<'ctx>> {
        let (value, ty) = self.expr(expr)?;
        self.check(&ty, &Type::Int)?;
        Ok(value.into_int_value())
    }

    fn binary(
        &mut self,
        operator: &str,
        (left, left_type): Typed<'ctx>,
        (right, right_type): Typed<'ctx>,
    ) -> Emitted<BasicValueEnum<'ctx>> {
        let i64 = self.building.context().i64_type();
        let comparison = COMPARISONS.iter().find(|(name, _)| *name == operator);
        if let (Some((_, predicate)), false) = (comparison, left_type == Type::Int) {
            let is_known = matches!(operator, "==" | "!=") && right_type != Type::Int;
            let is_known = is_known.then_some(()).ok_or("objects can be equal or not, no more");
            is_known?;
            let [left, right] = [left, right].map(BasicValueEnum::into_pointer_value);
            let bit = self.builder.build_int_compare(*predicate, left, right, "")?;
            return Ok(self.builder.build_int_z_extend(bit, i64, "")?.into());
        }
        self.check(&left_type, &Type::Int)?;
        self.check(&right_type, &Type::Int)?;
        let [left, right] = [left, right].map(BasicValueEnum::into_int_value);
        if let Some((_, predicate)) = comparison {
            let bit = self.builder.build_int_compare(*predicate, left, right, "")?;
            return Ok(self.builder.build_int_z_extend(bit, i64, "")?.into());
        }
        Ok(match operator {
            "+" => self.builder.build_int_add(left, right, "")?.into(),
            "-" => self.builder.build_int_sub(left, right, "")?.into(),
            "*" => self.builder.build_int_mul(left, right, "")?.into(),
            _ => {
                let is_zero = self.builder.build_int_compare(
                    IntPredicate::EQ,
                    right,
                    i64.const_zero(),
                    "",
                )?;
                self.unless(is_zero, "throwZero")?;
                let name = if operator == "/" { "vm_divide" } else { "vm_remainder" };
                let ty = i64.fn_type(&[i64.into(), i64.into()], false);
                self.invoke(name, ty, &[left.into(), right.into()])?.expect("it gives a number")
            }
        })
    }

    /// `&&` and `||`: 0 or 1, and the right side only where it decides.
    fn short(&mut self, operator: &str, left: &Expr, right: &Expr) -> Emitted<IntValue<'ctx>> {
        let left = self.condition(left)?;
        let before = self.builder.get_insert_block().ok_or("no block")?;
        let [more, end] = ["more", "end"].map(|name| self.new_block(name));
        let (yes, no) = if operator == "&&" { (more, end) } else { (end, more) };
        self.builder.build_conditional_branch(left, yes, no)?;
        self.builder.position_at_end(more);
        let right = self.condition(right)?;
        let after = self.builder.get_insert_block().ok_or("no block")?;
        self.go_on_at(end)?;
        let bit = self.builder.build_phi(left.get_type(), "")?;
        bit.add_incoming(&[(&left, before), (&right, after)]);
        let bit = bit.as_basic_value().into_int_value();
        Ok(self.builder.build_int_z_extend(bit, self.building.context().i64_type(), "")?)
    }

    /// Where an object's field is.
    pub(super) fn field(
        &mut self,
        (object, ty): Typed<'ctx>,
        name: &str,
    ) -> Emitted<(PointerValue<'ctx>, Type)> {
        let Type::Object(class) = &ty else {
            return Err(format!("no object to have {name}").into());
        };
        let class = self.vm.program.class(class)?.clone();
        let (number, field) =
            class.field(name).ok_or_else(|| format!("{} has no field {name}", class.name))?;
        self.check_null(object)?;
        let place = self.word(object.into_pointer_value(), 8 + 8 * number as u64)?;
        Ok((place, field.clone()))
    }

    /// The place so many bytes behind another one.
    #[expect(unsafe_code, reason = "inkwell cannot know what is there")]
    pub(super) fn word(
        &self,
        base: PointerValue<'ctx>,
        offset: u64,
    ) -> Emitted<PointerValue<'ctx>> {
        let context = self.building.context();
        let offset = context.i64_type().const_int(offset, false);
        // SAFETY: only IR is made here; objects and tables have the words that are asked for.
        Ok(unsafe { self.builder.build_gep(context.i8_type(), base, &[offset], "") }?)
    }

    /// A word that other threads write: what one has written, the others come to see.
    pub(super) fn load_shared(
        &self,
        ty: inkwell::types::BasicTypeEnum<'ctx>,
        place: PointerValue<'ctx>,
    ) -> Emitted<BasicValueEnum<'ctx>> {
        let value = self.builder.build_load(ty, place, "")?;
        share(value.as_instruction_value().ok_or("a load is an instruction")?)?;
        Ok(value)
    }

    pub(super) fn store_shared(
        &self,
        place: PointerValue<'ctx>,
        value: BasicValueEnum<'ctx>,
    ) -> Emitted<()> {
        share(self.builder.build_store(place, value)?)
    }

    /// Throws a `NullError` where an object is none.
    pub(super) fn check_null(&mut self, object: BasicValueEnum<'ctx>) -> Emitted<()> {
        let is_null = self.builder.build_is_null(object.into_pointer_value(), "")?;
        self.unless(is_null, "throwNull")
    }

    /// Calls a function of the prelude, which throws, if something is so.
    fn unless(&mut self, is_wrong: IntValue<'ctx>, function: &str) -> Emitted<()> {
        let [wrong, right] = ["wrong", "right"].map(|name| self.new_block(name));
        self.builder.build_conditional_branch(is_wrong, wrong, right)?;
        self.builder.position_at_end(wrong);
        self.call(function, &[])?;
        self.builder.build_unreachable()?;
        self.builder.position_at_end(right);
        Ok(())
    }
}

fn share(access: InstructionValue<'_>) -> Emitted<()> {
    access.set_alignment(8)?;
    access.set_atomic_ordering(AtomicOrdering::Monotonic)?;
    Ok(())
}
