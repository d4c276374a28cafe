//! Expressions.

use super::super::code::{Arithmetic, Code, Comparison, Kind};
use super::super::syntax::{Expr, Type};
use super::{Emitted, Emitter, Typed, kind};

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::LessEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterEqual),
];

impl<C: Code> Emitter<'_, C> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Emitted<Typed<C>> {
        match expr {
            Expr::Int(number) => Ok((self.code.int(*number), Type::Int)),
            Expr::Null => Ok((self.code.null(), Type::Null)),
            Expr::This => {
                let class = self.class.ok_or("`this` is only in methods")?;
                Ok((self.this(), Type::Object(class.name.clone())))
            }
            Expr::Name(name) => {
                let variable = self.variable(name)?;
                let (place, ty) = (variable.place, variable.ty.clone());
                Ok((self.code.get(place)?, ty))
            }
            Expr::Field(object, name) => {
                let object = self.expr(object)?;
                let (object, offset, ty) = self.field(object, name)?;
                Ok((self.code.load_shared(kind(&ty), object, offset)?, ty))
            }
            Expr::Negate(number) => {
                let (zero, number) = (self.code.int(0), self.int(number)?);
                Ok((self.code.arithmetic(Arithmetic::Subtract, [zero, number])?, Type::Int))
            }
            Expr::Binary(operator @ ("&&" | "||"), left, right) => {
                Ok((self.short(operator, left, right)?, Type::Int))
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
                let arguments = [self.int(thread)?, self.thread()];
                Ok((self.code.call("vm_join", &arguments, Kind::Int)?, Type::Int))
            }
        }
    }

    /// A number.
    pub(super) fn int(&mut self, expr: &Expr) -> Emitted<C::Value> {
        let (value, ty) = self.expr(expr)?;
        self.check(&ty, &Type::Int)?;
        Ok(value)
    }

    fn binary(
        &mut self,
        operator: &str,
        (left, left_type): Typed<C>,
        (right, right_type): Typed<C>,
    ) -> Emitted<C::Value> {
        let comparison = COMPARISONS.iter().find(|(name, _)| *name == operator);
        if let (Some((_, comparison)), false) = (comparison, left_type == Type::Int) {
            if !matches!(operator, "==" | "!=") || right_type == Type::Int {
                return Err("objects can be equal or not, no more".into());
            }
            return self.code.compare(*comparison, [left, right]);
        }
        self.check(&left_type, &Type::Int)?;
        self.check(&right_type, &Type::Int)?;
        if let Some((_, comparison)) = comparison {
            return self.code.compare(*comparison, [left, right]);
        }
        let operator = match operator {
            "+" => Arithmetic::Add,
            "-" => Arithmetic::Subtract,
            "*" => Arithmetic::Multiply,
            "/" => Arithmetic::Divide,
            _ => Arithmetic::Remainder,
        };
        if matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) {
            let zero = self.code.int(0);
            let is_zero = self.code.compare(Comparison::Equal, [right, zero])?;
            self.unless(is_zero, "throwZero")?;
        }
        self.code.arithmetic(operator, [left, right])
    }

    /// `&&` and `||`: 0 or 1, and the right side only where it decides.
    fn short(&mut self, operator: &str, left: &Expr, right: &Expr) -> Emitted<C::Value> {
        let left = self.truth(left)?;
        let result = self.code.variable(Kind::Int, left)?;
        let [more, end] = self.new_blocks();
        let (yes, no) = if operator == "&&" { (more, end) } else { (end, more) };
        self.code.branch(left, yes, no)?;
        self.code.begin(more);
        let right = self.truth(right)?;
        self.code.set(result, right)?;
        self.go_on_at(end)?;
        self.code.get(result)
    }

    /// An object that is not null, where in it a field is, and its type.
    pub(super) fn field(
        &mut self,
        (object, ty): Typed<C>,
        name: &str,
    ) -> Emitted<(C::Value, u64, Type)> {
        let Type::Object(class) = &ty else {
            return Err(format!("no object to have {name}").into());
        };
        let class = self.vm.program.class(class)?.clone();
        let (number, field) =
            class.field(name).ok_or_else(|| format!("{} has no field {name}", class.name))?;
        self.check_null(object)?;
        Ok((object, 8 + 8 * number as u64, field.clone()))
    }

    /// Throws a `NullError` where an object is none.
    pub(super) fn check_null(&mut self, object: C::Value) -> Emitted<()> {
        let null = self.code.null();
        let is_null = self.code.compare(Comparison::Equal, [object, null])?;
        self.unless(is_null, "throwNull")
    }

    /// Calls a function of the prelude, which throws, if something is so.
    fn unless(&mut self, is_wrong: C::Value, function: &str) -> Emitted<()> {
        let [wrong, right] = self.new_blocks();
        self.code.branch(is_wrong, wrong, right)?;
        self.code.begin(wrong);
        self.call(function, &[])?;
        self.code.never()?;
        self.code.begin(right);
        Ok(())
    }
}
