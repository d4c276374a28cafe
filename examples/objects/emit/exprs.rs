//! Expressions, and how little a call of a method costs.

use super::super::syntax::{Checked, Expr, Function, Type};
use super::{Callee, Code, Emitter, Kind, Typed, kind};

impl<C: Code> Emitter<'_, C> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Checked<Typed<C>> {
        match expr {
            Expr::Int(number) => Ok((self.code.int(*number), "int".into())),
            Expr::Null => Ok((self.code.null(), "null".into())),
            Expr::Name(name) => {
                let variable = self.variable(name)?;
                let (place, ty) = (variable.place, variable.ty.clone());
                Ok((self.code.get(place), ty))
            }
            Expr::Field(object, name) => {
                let (object, offset, ty) = self.field(object, name)?;
                Ok((self.code.load(kind(&ty), object, offset), ty))
            }
            Expr::Binary(operator, sides) => Ok((self.binary(operator, sides)?, "int".into())),
            Expr::Call(name, arguments) => self.call(name, arguments),
            Expr::Send(receiver, name, arguments) => self.send(receiver, name, arguments),
            Expr::New(class, arguments) => self.create(class, arguments),
            Expr::Allocate => self.allocate(),
            Expr::Native(name, operand) => self.native(name, operand),
        }
    }

    /// A value of a type.
    pub(super) fn expr_of(&mut self, expr: &Expr, wanted: &str) -> Checked<C::Value> {
        let (value, ty) = self.expr(expr)?;
        self.vm.program.check(&ty, wanted)?;
        Ok(value)
    }

    fn binary(&mut self, operator: &str, sides: &[Expr; 2]) -> Checked<C::Value> {
        let [left, right] = sides;
        match operator {
            "&&" | "||" => return self.short(operator, left, right),
            // What the processor cannot divide, the prelude does.
            "/" if self.body.symbol != "fn quotient" => return Ok(self.call("quotient", sides)?.0),
            "%" if self.body.symbol != "fn remainder" => {
                return Ok(self.call("remainder", sides)?.0);
            }
            _ => {}
        }
        let ((left, left_type), (right, right_type)) = (self.expr(left)?, self.expr(right)?);
        // References are equal or not, no more.
        if !matches!(operator, "==" | "!=") || left_type == "int" || right_type == "int" {
            self.vm.program.check(&left_type, "int")?;
            self.vm.program.check(&right_type, "int")?;
        }
        Ok(self.code.binary(operator, left, right))
    }

    /// The side that decides; the right one is run only where it does.
    fn short(&mut self, operator: &str, left: &Expr, right: &Expr) -> Checked<C::Value> {
        let left = self.expr_of(left, "int")?;
        let result = self.code.variable(Kind::Int, left);
        let [more, end] = self.new_blocks();
        let (yes, no) = if operator == "&&" { (more, end) } else { (end, more) };
        self.code.branch(left, yes, no);
        self.code.begin(more);
        let right = self.expr_of(right, "int")?;
        self.code.set(result, right);
        self.go_on_at(end);
        Ok(self.code.get(result))
    }

    /// An object that is not null, where in it a field is, and its type.
    pub(super) fn field(&mut self, object: &Expr, name: &str) -> Checked<(C::Value, u64, Type)> {
        let (object, ty) = self.expr(object)?;
        let field = self.vm.program.named(&ty)?.field(name);
        let (offset, field) = field.ok_or_else(|| format!("{ty} has no field {name}"))?;
        self.check_null(object)?;
        Ok((object, offset, field.clone()))
    }

    /// Throws a `NullError` where an object is none.
    fn check_null(&mut self, object: C::Value) -> Checked<()> {
        let ([wrong, right], null) = (self.new_blocks(), self.code.null());
        let is_null = self.code.binary("==", object, null);
        self.code.branch(is_null, wrong, right);
        self.code.begin(wrong);
        self.call("throwNull", &[])?;
        self.give_nothing();
        self.code.begin(right);
        Ok(())
    }

    /// Calls a function.
    fn call(&mut self, name: &str, arguments: &[Expr]) -> Checked<Typed<C>> {
        let function = self.vm.program.functions.get(name);
        let function = function.ok_or_else(|| format!("there is no function {name}"))?;
        let nobody = self.code.null();
        self.invoke(Callee::Named(&format!("fn {name}")), function, nobody, arguments)
    }

    /// Calls a method.
    ///
    /// A method that no loaded class overrides can be called directly, and inlined, under the assumption
    /// that it stays so. When a class that overrides it is loaded, the code is outdated; but a frame that
    /// is in it by then goes on. That is right as long as the receiver is one that the frame's function
    /// was called with: it was there before the class was, so it is of another class (Detlefs and Agesen,
    /// "Inlining of virtual methods", 1999: preexistence). So only those calls are made direct; and the
    /// function stays apart, since inlined, it would begin before its call.
    fn send(&mut self, receiver: &Expr, name: &str, arguments: &[Expr]) -> Checked<Typed<C>> {
        let was_there = match receiver {
            Expr::Name(name) => self.variable(name)?.is_argument,
            _ => false,
        };
        let (object, ty) = self.expr(receiver)?;
        self.check_null(object)?;
        let class = self.vm.program.named(&ty)?;
        let method = class.method(name).ok_or_else(|| format!("{ty} has no {name}"))?;
        let (symbol, function) = (method.symbol(), &method.function);
        let mut callee = Callee::Method(method.index());
        if class.is_interface {
            callee = Callee::Named(&symbol);
        } else if was_there && let Some(assumption) = self.vm.only_method(class, method) {
            self.code.assume(assumption);
            self.code.keep_apart();
            callee = Callee::Named(&symbol);
        }
        self.invoke(callee, function, object, arguments)
    }

    /// Makes an object, and has its method `init` called, if it has one.
    fn create(&mut self, name: &str, arguments: &[Expr]) -> Checked<Typed<C>> {
        let class = self.vm.program.class(name)?;
        if class.table.get().is_none() {
            // Once it is loaded, what makes the object can be inlined.
            self.code.assume(self.vm.is_not_loaded(class));
        }
        let arguments_of_new = [self.code.null(), self.code.parameter(1)];
        let new = format!("new {name}");
        let object = self.code.call(Callee::Named(&new), &arguments_of_new, Kind::Reference);
        if let Some(init) = class.method("init") {
            self.invoke(Callee::Named(&init.symbol()), &init.function, object, arguments)?;
        } else if !arguments.is_empty() {
            return Err(format!("{name} has no init"));
        }
        Ok((object, name.into()))
    }

    /// Makes an object of the class whose function this is.
    fn allocate(&mut self) -> Checked<Typed<C>> {
        let class = self.body.class.as_ref().ok_or("no class to make an object of")?;
        let table = class.table.get().ok_or("the class is not loaded")?.address();
        let [size, table] = [class.size(), table.0].map(|number| self.code.int(number as i64));
        let arguments = [self.code.parameter(1), size, table];
        let object = self.code.call(Callee::Named("vm_allocate"), &arguments, Kind::Reference);
        Ok((object, class.name.clone()))
    }

    /// Has the machine do something with a number or an object.
    fn native(&mut self, name: &str, operand: &Expr) -> Checked<Typed<C>> {
        let (value, ty) = self.expr(operand)?;
        if matches!(name, "print" | "join") {
            self.vm.program.check(&ty, "int")?;
        } else {
            let run = self.vm.program.named(&ty)?.method("run").map(|run| &run.function);
            let runs = run.is_some_and(|run| run.parameters.is_empty() && run.result == "int");
            if name == "spawn" && !runs {
                return Err(format!("{ty} has no run() that gives a number"));
            }
            self.check_null(value)?;
        }
        let arguments = [value, self.code.parameter(1)];
        let result = self.code.call(Callee::Named(&format!("vm_{name}")), &arguments, Kind::Int);
        if name == "throw" {
            let [dead] = self.new_blocks();
            self.give_nothing();
            self.code.begin(dead);
        }
        Ok((result, "int".into()))
    }

    /// Evaluates arguments, and calls a function or a method with them.
    fn invoke(
        &mut self,
        callee: Callee<'_>,
        function: &Function,
        receiver: C::Value,
        arguments: &[Expr],
    ) -> Checked<Typed<C>> {
        let (name, wanted) = (&function.name, &function.parameters);
        if wanted.len() != arguments.len() {
            return Err(format!("{name} takes {}, not {}", wanted.len(), arguments.len()));
        }
        let mut values = vec![receiver, self.code.parameter(1)];
        for (argument, (_, wanted)) in arguments.iter().zip(wanted) {
            values.push(self.expr_of(argument, wanted)?);
        }
        let result = self.code.call(callee, &values, kind(&function.result));
        Ok((result, function.result.clone()))
    }
}
