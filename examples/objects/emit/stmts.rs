//! Statements.

use super::super::code::{Code, Comparison, Kind};
use super::super::syntax::{Expr, Stmt, Type};
use super::{Emitted, Emitter};

impl<C: Code> Emitter<'_, C> {
    pub(super) fn block(&mut self, body: &[Stmt]) -> Emitted<()> {
        let outside = self.scope.len();
        body.iter().try_for_each(|statement| self.statement(statement))?;
        self.scope.truncate(outside);
        Ok(())
    }

    fn statement(&mut self, statement: &Stmt) -> Emitted<()> {
        match statement {
            Stmt::Var(name, ty, value) => {
                let (value, found) = self.expr(value)?;
                let ty = ty.as_ref().unwrap_or(&found);
                self.check(&found, ty)?;
                self.declare(name, ty.clone(), value).map(|_| ())
            }
            Stmt::Assign(to, value) => self.assign(to, value),
            Stmt::Expr(expr) => self.expr(expr).map(|_| ()),
            Stmt::If(condition, then, otherwise) => self.branch(condition, then, otherwise),
            Stmt::While(condition, body) => self.repeat(condition, body),
            Stmt::Return(value) => {
                let (value, ty) = self.expr(value)?;
                self.check(&ty, self.result)?;
                self.code.give(value)?;
                self.begin_dead_block();
                Ok(())
            }
            Stmt::Throw(exception) => {
                let (exception, ty) = self.expr(exception)?;
                if !matches!(ty, Type::Object(_)) {
                    return Err("only objects can be thrown".into());
                }
                self.check_null(exception)?;
                self.throw(exception)?;
                self.begin_dead_block();
                Ok(())
            }
            Stmt::Try(body, catch) => self.catching(body, catch),
            Stmt::Print(number) => {
                let number = self.int(number)?;
                self.code.call("vm_print", &[number, self.code.parameter(1)], Kind::Int)?;
                Ok(())
            }
        }
    }

    fn assign(&mut self, to: &Expr, value: &Expr) -> Emitted<()> {
        match to {
            Expr::Name(name) => {
                let (value, ty) = self.expr(value)?;
                let variable = self.variable(name)?;
                self.check(&ty, &variable.ty)?;
                let place = variable.place;
                self.code.set(place, value)
            }
            Expr::Field(object, name) => {
                let object = self.expr(object)?;
                let (value, ty) = self.expr(value)?;
                let (object, offset, field) = self.field(object, name)?;
                self.check(&ty, &field)?;
                self.code.store_shared(object, offset, value)
            }
            _ => Err("only variables and fields can be assigned to".into()),
        }
    }

    fn branch(&mut self, condition: &Expr, then: &[Stmt], otherwise: &[Stmt]) -> Emitted<()> {
        let condition = self.int(condition)?;
        let [yes, no, end] = self.new_blocks();
        self.code.branch(condition, yes, no)?;
        for (block, body) in [(yes, then), (no, otherwise)] {
            self.code.begin(block);
            self.block(body)?;
            self.code.jump(end)?;
        }
        self.code.begin(end);
        Ok(())
    }

    fn repeat(&mut self, condition: &Expr, body: &[Stmt]) -> Emitted<()> {
        let [head, again, end] = self.new_blocks();
        self.go_on_at(head)?;
        let condition = self.int(condition)?;
        self.code.branch(condition, again, end)?;
        self.code.begin(again);
        self.block(body)?;
        self.code.repeat(head)?;
        self.code.begin(end);
        Ok(())
    }

    /// 1 if a number is not 0, or 0.
    pub(super) fn truth(&mut self, number: &Expr) -> Emitted<C::Value> {
        let (number, zero) = (self.int(number)?, self.code.int(0));
        self.code.compare(Comparison::NotEqual, [number, zero])
    }
}
