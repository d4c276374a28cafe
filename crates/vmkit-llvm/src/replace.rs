//! Another version of a module takes the place of one.

use rustc_hash::FxHashSet;
use vmkit::graph::{Binding, Place};
use vmkit::{Error, Name, Result, Source, SymbolId, is_same_signature};

use crate::adding::{Adding, Others};
use crate::ffi::{self, Index, Kind, Symbol};
use crate::llvm::Llvm;
use crate::loaded::Loaded;
use crate::module::Module;
use crate::modules::Added;

impl Llvm {
    /// Adds another version of the module `name`; what becomes of what both define, `others` says.
    pub(crate) fn replace_as(&self, name: &str, input: Vec<u8>, others: Others) -> Result<Loaded> {
        let added = self.modules.take(name);
        let added = added.ok_or_else(|| Error::other(format!("no module {name} to replace")))?;
        let replaced = self.replace_added(&added, name, input, others);
        if replaced.is_err() {
            self.modules.put(added);
        }
        replaced
    }

    fn replace_added(
        &self,
        added: &Added,
        name: &str,
        input: Vec<u8>,
        others: Others,
    ) -> Result<Loaded> {
        let old = added.keep(&self.session);
        let former = match &old {
            Some(kept) => self.functions_of(&kept.module)?,
            None => Vec::new(),
        };
        let home = added.home;
        let number = self.give(home, name, input)?;
        let check = |module: &Module, index: &Index<'_>| {
            self.check_types(module, index)?;
            Ok((left_out(&former, index), index.has_asm))
        };
        let (module, loaded) =
            self.enter(home, name, number, check, |module, (left_out, has_asm)| {
                if has_asm {
                    module.assemble()?;
                    self.check_assembly(module)?;
                }
                let (session, scope) = (&self.session, module.scope());
                let replaced = self.pool.with(module.number, |worker, raw| {
                    let index = &worker.index(raw)?;
                    Ok(Adding { session, scope, home, index, others }.replace(&left_out))
                })?;
                let loaded = replaced.map_err(|what| Error::input(name, what))??;
                self.define_assembly(module)?;
                Ok(loaded)
            })?;
        self.modules.push(&module);
        Ok(loaded)
    }

    /// The functions that a module defined, and still does.
    fn functions_of(&self, module: &Module) -> Result<Vec<(Name, SymbolId)>> {
        let names = self.read_functions(module, |_, symbol| {
            (symbol.linkage == ffi::Linkage::Strong).then(|| Name::new(symbol.name))
        })?;
        let is_its = |id| self.session.body(id).is_some_and(|(scope, _)| scope == module.scope());
        let symbols = names.into_iter().map(|name| {
            let id = self.session.own_symbol_in(module.home, &name);
            (name, id)
        });
        Ok(symbols.filter(|&(_, id)| is_its(id)).collect())
    }

    /// Refuses a version of a module in which functions are of other types than those that they are to
    /// take the place of: callers would not know.
    fn check_types(&self, module: &Module, index: &Index<'_>) -> Result<()> {
        for (key, symbol) in index.symbols() {
            if symbol.linkage != ffi::Linkage::Strong {
                continue;
            }
            let name = Name::new(symbol.name);
            let id = self.session.own_symbol_in(module.home, &name);
            let Some(known) = self.session.signature(id) else { continue };
            let new = module.signature(u64::from(key)).filter(|_| symbol.kind == Kind::Function);
            if !new.as_deref().is_some_and(|new| is_same_signature(new, &known)) {
                let new = new.unwrap_or_else(|| "data".into());
                let what = format!("{name} is of the type {known}, and {new} in its place");
                return Err(Error::input(module.name.clone(), what));
            }
        }
        Ok(())
    }

    /// Refuses assembly that defines what is defined already.
    fn check_assembly(&self, module: &Module) -> Result<()> {
        let Some(assembly) = module.assembly.get() else { return Ok(()) };
        let defined = assembly.graph.symbols.iter().filter(|symbol| {
            symbol.place != Place::Undefined && matches!(symbol.binding, Binding::Global(_))
        });
        let mut taken = defined.filter(|symbol| {
            let id = self.session.own_symbol_in(module.home, &symbol.name);
            self.session.is_defined(id)
        });
        let refuse = |name: &Name| {
            let what = format!("{name} cannot be replaced: it is module assembly");
            Err(Error::input(module.name.clone(), what))
        };
        taken.next().map_or(Ok(()), |symbol| refuse(&symbol.name))
    }
}

/// Those of some functions that another version does not define any more.
fn left_out(former: &[(Name, SymbolId)], new: &Index<'_>) -> Vec<SymbolId> {
    let is_kept = |symbol: &Symbol<'_>| {
        symbol.kind == Kind::Function && symbol.linkage == ffi::Linkage::Strong
    };
    let kept = new.symbols().filter(|(_, symbol)| is_kept(symbol));
    let kept: FxHashSet<_> = kept.map(|(_, symbol)| Name::new(symbol.name)).collect();
    former.iter().filter(|(name, _)| !kept.contains(name)).map(|&(_, id)| id).collect()
}
