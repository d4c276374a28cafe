//! Types of functions, where code says what it takes them to be.

use super::Linker;
use super::bind::{Symbols, Target};
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::LinkGraph;
use crate::symbol::{ScopeId, Signatures, SymbolId};

impl Linker {
    /// Refuses code that takes functions to be what they are not, if that is asked for. What it takes
    /// functions to be that nobody defines is noted.
    pub(super) fn check_signatures(&self, graph: &LinkGraph, symbols: &Symbols) -> Result<()> {
        let refuses = self.policy.signatures == Signatures::Refuse;
        for (number, taken) in &graph.signatures {
            let Target::Symbol { id, .. } = symbols.targets[*number] else { continue };
            let id = match self.target(id) {
                Ok((id, _)) => id,
                Err(error) if refuses => return Err(error),
                Err(_) => continue,
            };
            let definition = self.table.entry(id).lock().definition.clone();
            match definition {
                Some(Definition::Module { scope, key, .. }) if refuses => {
                    self.compare(id, (scope, key), (taken, &graph.name))?;
                }
                None => {
                    let expected = (taken.clone(), graph.name.clone());
                    self.expected.lock().entry(id).or_insert(expected);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Refuses a definition that is not what code took it to be before it came.
    pub(super) fn check_expected(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        if self.policy.signatures == Signatures::Allow {
            return Ok(());
        }
        let expected = self.expected.lock().get(&id).cloned();
        match expected {
            Some((taken, user)) => self.compare(id, (scope, key), (&taken, &user)),
            None => Ok(()),
        }
    }

    fn compare(
        &self,
        id: SymbolId,
        (scope, key): (ScopeId, u64),
        (taken, user): (&str, &str),
    ) -> Result<()> {
        let Some(source) = self.table.source(scope) else { return Ok(()) };
        if source.has_signature(key, taken) {
            return Ok(());
        }
        let known = source.signature(key).unwrap_or_default();
        let (name, module) = (self.table.name(id), source.name());
        Err(Error::other(format!(
            "{name} is of the type {known} in {module}, and taken for {taken} in {user}"
        )))
    }
}
