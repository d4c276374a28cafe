//! `throw` and `try`.

use super::super::code::{Code, Kind};
use super::super::syntax::{Catch, Stmt, Type};
use super::{Emitted, Emitter};

impl<C: Code> Emitter<'_, C> {
    pub(super) fn throw(&mut self, exception: C::Value) -> Emitted<()> {
        self.code.call("vm_throw", &[exception, self.code.parameter(1)], Kind::Int)?;
        self.code.never()
    }

    pub(super) fn catching(&mut self, body: &[Stmt], catch: &Catch) -> Emitted<()> {
        let class = self.vm.program.class(&catch.class)?.number;
        let [end] = self.new_blocks();
        self.code.begin_try(class);
        self.block(body)?;
        self.code.jump(end)?;
        let exception = self.code.end_try()?;
        let outside = self.scope.len();
        self.declare(&catch.variable, Type::Object(catch.class.clone()), exception)?;
        self.block(&catch.body)?;
        self.scope.truncate(outside);
        self.go_on_at(end)
    }
}
