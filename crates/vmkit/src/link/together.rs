//! Several symbols get other definitions: all of them, or none.

use super::Linker;
use super::data::Moved;
use crate::definition::{Definition, Unit};
use crate::error::{Error, Result};
use crate::symbol::{Descriptor, Linkage, ScopeId, SymbolId};
use crate::table::Outcome;

/// What becomes of a symbol, with others ([`Session::redefine_together`]). Definitions are given by a
/// module's scope and its key.
///
/// [`Session::redefine_together`]: crate::Session::redefine_together
#[derive(Clone, Debug)]
pub enum Change {
    /// It is defined, as by [`Session::define`](crate::Session::define).
    Define(Descriptor, ScopeId, u64, Unit),
    /// A function gets another definition, as by [`Session::redefine`](crate::Session::redefine).
    Function(SymbolId, ScopeId, u64),
    /// Data does, as by [`Session::redefine_data`](crate::Session::redefine_data).
    Data(SymbolId, ScopeId, u64),
    /// A function is defined no more, as by [`Session::remove`](crate::Session::remove).
    Remove(SymbolId),
}

/// What was done, and can be taken back.
#[derive(Default)]
struct Done {
    defined: Vec<SymbolId>,
    moved: Vec<Moved>,
}

impl Linker {
    /// Makes all changes; if one cannot be made, none.
    pub(crate) fn redefine_together(&self, changes: &[Change]) -> Result<()> {
        let _turn = self.redefining.lock();
        changes.iter().try_for_each(|change| self.check_change(change))?;
        let mut done = Done::default();
        if let Err(error) = changes.iter().try_for_each(|change| self.prepare(change, &mut done)) {
            done.moved.iter().rev().for_each(|moved| self.move_back(moved));
            self.remove_all(&done.defined);
            return Err(error);
        }
        done.moved.iter().for_each(|moved| self.follow(moved));
        for change in changes {
            match *change {
                Change::Function(id, scope, key) => {
                    self.redefine_checked(id, Some(function(scope, key)));
                }
                Change::Remove(id) => self.redefine_checked(id, None),
                Change::Define(..) | Change::Data(..) => {}
            }
        }
        Ok(())
    }

    /// Refuses what cannot be, whatever the definitions are.
    fn check_change(&self, change: &Change) -> Result<()> {
        match change {
            Change::Define(_, scope, ..) => self.check_module(*scope),
            Change::Function(id, scope, key) => {
                self.check_redefinable(*id, Some(&function(*scope, *key)))
            }
            Change::Remove(id) => self.check_redefinable(*id, None),
            Change::Data(id, scope, _) => {
                self.table.check(*id)?;
                self.check_module(*scope)?;
                let name = self.table.name(*id);
                let what = format!("{name} cannot be redefined as data: it is none");
                self.is_data(*id).then_some(()).ok_or_else(|| Error::other(what))
            }
        }
    }

    /// Does what can fail, and what nobody sees who does not use new names.
    fn prepare(&self, change: &Change, done: &mut Done) -> Result<()> {
        match change {
            Change::Define(descriptor, scope, key, unit) => {
                let definition = match descriptor.linkage {
                    Linkage::Common => Definition::common(descriptor.size, descriptor.align),
                    _ => Definition::Module { scope: *scope, key: *key, unit: *unit },
                };
                let home = self.table.home(*scope);
                let (id, outcome) = self.table.define(home, descriptor, definition)?;
                done.defined.extend((outcome == Outcome::Taken).then_some(id));
            }
            Change::Data(id, scope, key) => {
                let definition = Definition::Module { scope: *scope, key: *key, unit: Unit::Data };
                done.moved.push(self.move_data(*id, definition)?);
            }
            Change::Function(..) | Change::Remove(_) => {}
        }
        Ok(())
    }
}

fn function(scope: ScopeId, key: u64) -> Definition {
    Definition::Module { scope, key, unit: Unit::Lazy }
}
