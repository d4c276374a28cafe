//! What the modules define and need, as `nm` lists it.

use std::sync::Arc;

use vmkit::graph::{Content, Listed, Standing};
use vmkit::{Error, Linkage, Name, Result, SymbolId};

use crate::ffi::{self, Index, Kind, Symbol};
use crate::llvm::Llvm;
use crate::module::{Module, symbol_kind};

impl Llvm {
    /// What each module defines and needs, in the order they were added.
    ///
    /// # Errors
    ///
    /// A module that can no longer be read.
    pub fn listings(&self) -> Result<Vec<(Arc<str>, Vec<Listed>)>> {
        let modules = self.modules.kept(&self.session);
        let modules = modules.iter().map(|kept| &*kept.module);
        modules.map(|module| Ok((module.name.clone(), self.listing(module)?))).collect()
    }

    fn listing(&self, module: &Module) -> Result<Vec<Listed>> {
        let listed = self.pool.with(module.number, |worker, raw| {
            let contents = worker.contents(raw)?;
            let index = worker.index(raw)?;
            let symbols = index.symbols().zip(&contents);
            Ok(symbols
                .filter_map(|((_, symbol), content)| listed(&index, &symbol, (*content)?))
                .collect())
        })?;
        let mut listed: Vec<_> = listed.map_err(|what| Error::input(module.name.clone(), what))?;
        if let Some(assembly) = module.assembly.get() {
            listed.extend(assembly.graph.listing());
        }
        Ok(listed)
    }

    /// The definitions of this name that modules keep to themselves.
    ///
    /// # Errors
    ///
    /// A module that can no longer be read.
    pub fn private_symbols(&self, name: &Name) -> Result<Vec<SymbolId>> {
        let mut found = Vec::new();
        for kept in self.modules.kept(&self.session) {
            let module = &*kept.module;
            let key = self.pool.with(module.number, |_, raw| Ok(raw.find_private(name.bytes())))?;
            if let Ok(Some(key)) = key {
                let scope = module.scope();
                found.push(self.session.private(scope, name, u64::from(key)));
            }
        }
        Ok(found)
    }
}

fn listed(index: &Index<'_>, symbol: &Symbol<'_>, content: Content) -> Option<Listed> {
    let standing = match symbol.linkage {
        ffi::Linkage::Strong => Standing::Defined(Linkage::Strong),
        ffi::Linkage::Weak => Standing::Defined(Linkage::Weak),
        ffi::Linkage::Common => Standing::Defined(Linkage::Common),
        ffi::Linkage::Private => Standing::Private,
        ffi::Linkage::Undefined => Standing::Needed,
        ffi::Linkage::UndefinedWeak => Standing::NeededWeakly,
        ffi::Linkage::Ignored => return None,
    };
    let kind = match symbol.kind {
        Kind::Alias if symbol.is_code => Kind::Function,
        // What it stands for is no other alias.
        Kind::Alias => index.symbol(symbol.target)?.kind,
        kind => kind,
    };
    let version = index.versions.iter().find(|(name, _)| *name == symbol.name);
    let name = match (symbol.linkage, version) {
        (ffi::Linkage::Undefined | ffi::Linkage::UndefinedWeak, Some((_, version))) => version,
        _ => symbol.name,
    };
    Some(Listed { name: Name::new(name), standing, kind: Some(symbol_kind(kind)), content })
}
