//! Statements.

use inkwell::IntPredicate;
use inkwell::values::IntValue;

use super::super::syntax::{Expr, Stmt, Type};
use super::{Emitted, Emitter};

impl<'ctx> Emitter<'_, 'ctx> {
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
                self.declare(name, ty.clone(), value)
            }
            Stmt::Assign(to, value) => self.assign(to, value),
            Stmt::Expr(expr) => self.expr(expr).map(|_| ()),
            Stmt::If(condition, then, otherwise) => self.branch(condition, then, otherwise),
            Stmt::While(condition, body) => self.repeat(condition, body),
            Stmt::Return(value) => {
                let (value, ty) = self.expr(value)?;
                self.check(&ty, &self.result)?;
                self.builder.build_return(Some(&value))?;
                self.start_dead_block();
                Ok(())
            }
            Stmt::Throw(exception) => {
                let (exception, ty) = self.expr(exception)?;
                if !matches!(ty, Type::Object(_)) {
                    return Err("only objects can be thrown".into());
                }
                self.check_null(exception)?;
                self.throw(exception)?;
                self.start_dead_block();
                Ok(())
            }
            Stmt::Try(body, catch) => self.catching(body, catch),
            Stmt::Print(number) => {
                let number = self.int(number)?;
                let ty = self.building.context().void_type();
                let ty = ty.fn_type(&[number.get_type().into(), self.pointer().into()], false);
                self.invoke("vm_print", ty, &[number.into(), self.thread()]).map(|_| ())
            }
        }
    }

    fn assign(&mut self, to: &Expr, value: &Expr) -> Emitted<()> {
        match to {
            Expr::Name(name) => {
                let (value, ty) = self.expr(value)?;
                let variable = self.variable(name)?;
                self.check(&ty, &variable.ty)?;
                self.builder.build_store(variable.place, value)?;
                Ok(())
            }
            Expr::Field(object, name) => {
                let object = self.expr(object)?;
                let (value, ty) = self.expr(value)?;
                let (place, field) = self.field(object, name)?;
                self.check(&ty, &field)?;
                self.store_shared(place, value)
            }
            _ => Err("only variables and fields can be assigned to".into()),
        }
    }

    fn branch(&mut self, condition: &Expr, then: &[Stmt], otherwise: &[Stmt]) -> Emitted<()> {
        let condition = self.condition(condition)?;
        let [yes, no, end] = ["then", "else", "end"].map(|name| self.new_block(name));
        self.builder.build_conditional_branch(condition, yes, no)?;
        for (block, body) in [(yes, then), (no, otherwise)] {
            self.builder.position_at_end(block);
            self.block(body)?;
            self.builder.build_unconditional_branch(end)?;
        }
        self.builder.position_at_end(end);
        Ok(())
    }

    fn repeat(&mut self, condition: &Expr, body: &[Stmt]) -> Emitted<()> {
        let [head, again, end] = ["while", "do", "end"].map(|name| self.new_block(name));
        self.go_on_at(head)?;
        let condition = self.condition(condition)?;
        self.builder.build_conditional_branch(condition, again, end)?;
        self.builder.position_at_end(again);
        self.block(body)?;
        self.builder.build_unconditional_branch(head)?;
        self.builder.position_at_end(end);
        Ok(())
    }

    pub(super) fn condition(&mut self, condition: &Expr) -> Emitted<IntValue<'ctx>> {
        let number = self.int(condition)?;
        let zero = number.get_type().const_zero();
        Ok(self.builder.build_int_compare(IntPredicate::NE, number, zero, "")?)
    }
}
