//! Who defines what: modules say it of their symbols, and the machine of its own.

use super::Session;
use crate::definition::{Alias, Definition, Unit};
use crate::error::{Error, Result};
use crate::memory::Zone;
use crate::symbol::{Addr, Descriptor, Linkage, Name, ScopeId, SymbolId, SymbolKind};
use crate::table::Outcome;

impl Session {
    /// Says that the module with this scope defines a symbol, under its own key of it.
    ///
    /// # Errors
    ///
    /// Another strong definition of the name; no such module in this session.
    pub fn define(
        &self,
        descriptor: &Descriptor,
        scope: ScopeId,
        key: u64,
        unit: Unit,
    ) -> Result<(SymbolId, Outcome)> {
        let table = &self.linker().table;
        let foreign = || Error::other("a module of another session: add it to this one");
        let home = table.known_home(scope).ok_or_else(foreign)?;
        let definition = match descriptor.linkage {
            Linkage::Common => Definition::common(descriptor.size, descriptor.align),
            _ => Definition::Module { scope, key, unit },
        };
        table.define(home, descriptor, definition)
    }

    /// The symbol of a module's private definition.
    pub fn private(&self, scope: ScopeId, name: &Name, key: u64) -> SymbolId {
        self.linker().private(scope, name, key)
    }

    /// Says that a symbol is `offset` bytes into another. If `body` is given, a module's scope and its
    /// key of a definition, that definition is meant even where another module's comes first.
    ///
    /// # Errors
    ///
    /// Another strong definition of the name.
    pub fn define_alias(
        &self,
        scope: ScopeId,
        descriptor: &Descriptor,
        target: SymbolId,
        offset: i64,
        body: Option<(ScopeId, u64)>,
    ) -> Result<(SymbolId, Outcome)> {
        self.linker().table.check(target)?;
        let alias = Alias { target, offset, body };
        self.linker().table.define(scope, descriptor, Definition::Alias(Box::new(alias)))
    }

    /// Says that a symbol's code is whatever `resolver` returns when the symbol is first called.
    ///
    /// # Errors
    ///
    /// Another strong definition of the name.
    pub fn define_indirect(
        &self,
        scope: ScopeId,
        descriptor: &Descriptor,
        resolver: SymbolId,
    ) -> Result<(SymbolId, Outcome)> {
        self.linker().table.check(resolver)?;
        self.linker().table.define(scope, descriptor, Definition::Indirect { resolver })
    }

    /// Says that a symbol lies at a fixed address.
    ///
    /// # Errors
    ///
    /// Another strong definition of the name.
    pub fn define_absolute(&self, name: &str, address: Addr) -> Result<SymbolId> {
        let descriptor = Descriptor::strong(Name::from(name), SymbolKind::Function);
        let table = &self.linker().table;
        let (id, _) = table.define(ScopeId::GLOBAL, &descriptor, Definition::Absolute(address))?;
        Ok(id)
    }

    /// Says that a name in a scope stands for what is at a fixed address. The scope is a shared one, or
    /// that of a module, which alone sees the name then.
    ///
    /// # Errors
    ///
    /// Another strong definition of the name there.
    pub fn define_absolute_in(
        &self,
        scope: ScopeId,
        name: &Name,
        kind: SymbolKind,
        address: Addr,
    ) -> Result<SymbolId> {
        let descriptor = Descriptor::strong(name.clone(), kind);
        let definition = Definition::Absolute(address);
        let (id, _) = self.linker().table.define(scope, &descriptor, definition)?;
        Ok(id)
    }

    /// Says that a name which every module sees stands for data with these initial bytes, which all code
    /// reaches.
    ///
    /// # Errors
    ///
    /// Another strong definition of the name; memory is short.
    pub fn define_bytes(&self, name: &Name, bytes: &[u8]) -> Result<SymbolId> {
        let mut block = self.linker().memory.allocate(Zone::Data, bytes.len() as u64, 16)?;
        block.bytes_mut().copy_from_slice(bytes);
        self.define_absolute_in(ScopeId::GLOBAL, name, SymbolKind::Data, block.addr)
    }

    /// Gives variables of libraries that objects take to be near, as code that was compiled for an
    /// executable does, a place near by, which the libraries use from then on: a linker's copy
    /// relocations. What this does not do when all modules and libraries are loaded is done when
    /// such an object is linked; what asked for the variable before then has the old one.
    pub fn copy_near_variables(&self) {
        self.linker().copy_near_variables();
    }

    /// Says where a symbol is that nobody defines, until somebody does.
    ///
    /// # Errors
    ///
    /// It is none of this session's.
    pub fn define_fallback(&self, id: SymbolId, address: Addr) -> Result<()> {
        self.linker().table.check(id)?;
        self.linker().note(id, Definition::Absolute(address));
        Ok(())
    }

    /// Puts a data symbol of such a size and alignment into the set that `__start_SECTION` and
    /// `__stop_SECTION` bound.
    pub fn add_to_set(&self, section: &Name, id: SymbolId, size: u64, align: u64) {
        if self.has(id) {
            self.linker().add_to_set(section.clone(), id, (size, align.max(1)));
        }
    }

    /// Makes the module with the scope `owner` the one whose definitions in the comdat group count,
    /// unless another module is; tells whether it is.
    pub fn claim_group(&self, name: &Name, owner: ScopeId) -> bool {
        self.linker().table.claim_group(name, owner)
    }
}
