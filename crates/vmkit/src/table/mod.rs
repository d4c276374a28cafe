//! The symbol table: one entry for each symbol, however many modules name it.
#![forbid(unsafe_code)]

mod chunks;
mod entry;
mod modules;
mod names;
mod sources;
mod state;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use self::chunks::Chunks;
pub(crate) use self::entry::{Dependent, Entry, Inner, Site};
use self::names::Names;
use self::sources::Sources;
pub(crate) use self::state::Event;
pub use self::state::State;
use crate::definition::{Definition, Source};
use crate::error::{Error, Kind, Result};
use crate::symbol::{Descriptor, Linkage, Name, ScopeId, SessionTag, SymbolId};

/// All symbols of a session.
pub(crate) struct Table {
    tag: SessionTag,
    entries: Chunks<Entry>,
    /// When each symbol was first called, in nanoseconds since the session began, 0 before; none where
    /// nobody asks.
    called: Option<Chunks<AtomicU64>>,
    /// What stands for symbols of other sessions: nobody's.
    foreign: Entry,
    len: AtomicU32,
    names: RwLock<Names>,
    groups: Mutex<FxHashMap<(ScopeId, Name), ScopeId>>,
    sources: Sources,
    /// Counts redefinitions.
    clock: AtomicU32,
}

// Every number that a symbol can have has a place.
const _: () = assert!(chunks::MOST == 1 << SessionTag::SHIFT);

/// Whether a definition was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is the symbol's definition now.
    Taken,
    /// Another definition of the name comes first.
    Ignored,
}

impl Table {
    /// An empty one, which notes when symbols are called if it `notes_calls`.
    pub(crate) fn new(notes_calls: bool) -> Self {
        let tag = SessionTag::next();
        Self {
            tag,
            foreign: Entry::vacant(),
            entries: Chunks::new(),
            called: notes_calls.then(Chunks::new),
            len: AtomicU32::new(0),
            names: RwLock::new(Names::new()),
            groups: Mutex::new(FxHashMap::default()),
            sources: Sources::new(tag),
            clock: AtomicU32::new(0),
        }
    }

    /// A scope for the private names of a module whose other names are in the scope `home`.
    pub(crate) fn add_source(&self, source: Arc<dyn Source>, home: ScopeId) -> ScopeId {
        self.sources.add(source, home)
    }

    /// A scope that modules share; names that it does not define are looked up in others, in this
    /// order.
    pub(crate) fn add_scope(&self, order: &[ScopeId]) -> ScopeId {
        self.sources.add_shared(order)
    }

    /// The scope of the names that a module with this scope shares with others.
    pub(crate) fn home(&self, scope: ScopeId) -> ScopeId {
        self.known_home(scope).unwrap_or(ScopeId::GLOBAL)
    }

    /// As [`Table::home`], of a scope of this session.
    pub(crate) fn known_home(&self, scope: ScopeId) -> Option<ScopeId> {
        self.sources.home(scope)
    }

    /// Can several modules name what is in this scope?
    pub(crate) fn is_shared(&self, scope: ScopeId) -> bool {
        scope == ScopeId::GLOBAL || self.sources.order(scope).is_some()
    }

    /// The symbol that code means by a name which is shared in the scope `home`: that of the first
    /// scope that defines it, else the scope's own.
    pub(crate) fn lookup(&self, home: ScopeId, name: &Name) -> SymbolId {
        let own = self.symbol(home, name);
        if home == ScopeId::GLOBAL || self.entry(own).lock().definition.is_some() {
            return own;
        }
        self.provider(home, name).unwrap_or(own)
    }

    /// The symbol of the first scope in the order of `home` that defines a name; the scope that all
    /// share comes last.
    pub(crate) fn provider(&self, home: ScopeId, name: &Name) -> Option<SymbolId> {
        let order = self.sources.order(home)?;
        let scopes = order.iter().copied().chain([ScopeId::GLOBAL]);
        let mut known = scopes.filter_map(|scope| self.find(scope, name.bytes()));
        known.find(|&id| self.entry(id).lock().definition.is_some())
    }

    /// Who defines it, for messages.
    fn definer(&self, definition: &Definition) -> Arc<str> {
        match definition {
            Definition::Module { scope, .. } => {
                self.module_name(*scope).unwrap_or_else(|| "a module".into())
            }
            Definition::Common(_) => "a common definition".into(),
            Definition::Absolute(_) | Definition::LibraryThreadLocal(_) => "the process".into(),
            Definition::Alias(_) => "an alias".into(),
            Definition::Indirect { .. } => "an ifunc".into(),
        }
    }

    /// Now, by the clock of redefinitions.
    pub(crate) fn now(&self) -> u32 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Lets the clock tick; the time since.
    pub(crate) fn tick(&self) -> u32 {
        self.clock.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
    }

    /// The entry of a symbol.
    pub(crate) fn entry(&self, id: SymbolId) -> &Entry {
        let index = self.tag.index(id.0);
        index.and_then(|index| self.entries.get(index)).unwrap_or(&self.foreign)
    }

    /// When it was first called, in nanoseconds since the session began; 0 before. None where that is
    /// not noted.
    pub(crate) fn called(&self, id: SymbolId) -> Option<&AtomicU64> {
        self.called.as_ref()?.get(self.tag.index(id.0)?)
    }

    /// The symbol of this session with this number, if there is one.
    pub(crate) fn numbered(&self, number: u32) -> Option<SymbolId> {
        let is_there = self.tag.index(number)? < self.len.load(Ordering::Acquire) as usize;
        let id = SymbolId(number);
        (is_there && self.scope(id) != ScopeId::NONE).then_some(id)
    }

    /// The symbol of this session with this index.
    pub(crate) fn symbol_at(&self, index: u32) -> SymbolId {
        SymbolId(self.tag.number(index as usize))
    }

    /// Is it a symbol of this session, as far as can be told?
    pub(crate) fn has(&self, id: SymbolId) -> bool {
        !std::ptr::eq(self.entry(id), &raw const self.foreign)
    }

    /// Refuses a symbol of another session.
    pub(crate) fn check(&self, id: SymbolId) -> Result<()> {
        match self.has(id) {
            true => Ok(()),
            false => Err(Error::other("a symbol of another session: look it up here, by its name")),
        }
    }

    /// Is there such a scope in this session?
    pub(crate) fn has_scope(&self, scope: ScopeId) -> bool {
        self.sources.has(scope)
    }

    /// The symbol of this name in this scope, if there is one.
    pub(crate) fn find(&self, scope: ScopeId, name: &[u8]) -> Option<SymbolId> {
        self.names.read().find(names::hash(scope, name), scope, name)
    }

    /// The symbol of this name in this scope; made if there is none.
    ///
    /// # Panics
    ///
    /// After 16 million symbols.
    pub(crate) fn symbol(&self, scope: ScopeId, name: &Name) -> SymbolId {
        let hash = names::hash(scope, name.bytes());
        let known = self.names.read().find(hash, scope, name.bytes());
        known.unwrap_or_else(|| self.make(hash, scope, name))
    }

    /// As [`Table::symbol`], of a name with this hash that is likely to be new.
    fn make(&self, hash: u32, scope: ScopeId, name: &Name) -> SymbolId {
        let mut names = self.names.write();
        if let Some(id) = names.find(hash, scope, name.bytes()) {
            return id;
        }
        let id = names.vacant.pop().unwrap_or_else(|| self.push());
        names.insert(hash, id, scope, name);
        self.sources.note_symbol(scope, id);
        id
    }

    fn push(&self) -> SymbolId {
        let index = self.len.load(Ordering::Relaxed) as usize;
        let id = SymbolId(self.tag.number(index));
        if let Some(called) = &self.called {
            called.get_or_make(index, || AtomicU64::new(0));
        }
        self.entries.get_or_make(index, Entry::vacant);
        self.len.store(index as u32 + 1, Ordering::Release);
        id
    }

    /// The name of a symbol.
    pub(crate) fn name(&self, id: SymbolId) -> Name {
        let names = self.names.read();
        let key = self.tag.index(id.0).and_then(|index| names.key(index));
        key.filter(|key| key.scope != ScopeId::NONE).map_or_else(
            || Name::from("a symbol of another session, or one that is gone"),
            |key| key.name.clone(),
        )
    }

    /// The scope that a symbol's name is in.
    pub(crate) fn scope(&self, id: SymbolId) -> ScopeId {
        let names = self.names.read();
        let key = self.tag.index(id.0).and_then(|index| names.key(index));
        key.map_or(ScopeId::NONE, |key| key.scope)
    }

    /// Every symbol there is now.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = SymbolId> {
        let len = self.len.load(Ordering::Acquire) as usize;
        let all = (0..len as u32).map(|index| self.symbol_at(index));
        all.filter(|&id| self.scope(id) != ScopeId::NONE)
    }

    /// Takes note of a definition, under the rules of ELF and LLVM for competing ones.
    pub(crate) fn define(
        &self,
        scope: ScopeId,
        descriptor: &Descriptor,
        definition: Definition,
    ) -> Result<(SymbolId, Outcome)> {
        let name = &descriptor.name;
        let id = self.make(names::hash(scope, name.bytes()), scope, name);
        let entry = self.entry(id);
        let mut inner = entry.lock();
        let outcome = self.compete(entry, &mut inner, descriptor, &definition)?;
        if outcome == Outcome::Taken {
            inner.descriptor(descriptor);
            let old = self.replace_in(scope, &mut inner, Some(definition));
            // Whoever is at it, as undefined, will see.
            if matches!(entry.state(), State::Queued | State::Compiling) {
                inner.changed = self.tick();
            }
            entry.advance(Event::Define);
            drop(inner);
            drop(old);
        }
        Ok((id, outcome))
    }

    /// Decides between what defines a symbol and a newcomer.
    fn compete(
        &self,
        entry: &Entry,
        old: &mut Inner,
        new: &Descriptor,
        definition: &Definition,
    ) -> Result<Outcome> {
        let Some(defined) = &mut old.definition else { return Ok(Outcome::Taken) };
        match (old.linkage, new.linkage) {
            (Linkage::Strong, Linkage::Strong) => Err(Kind::Duplicate {
                name: new.name.clone(),
                first: self.definer(defined),
                second: self.definer(definition),
            }
            .into()),
            _ if entry.address() != 0 => Ok(Outcome::Ignored),
            (Linkage::Weak | Linkage::Common, Linkage::Strong) => Ok(Outcome::Taken),
            (Linkage::Weak, Linkage::Common) => Ok(Outcome::Taken),
            (Linkage::Common, Linkage::Common) => Ok(merge_common(defined, definition)),
            (Linkage::Strong | Linkage::Weak | Linkage::Common, _) => Ok(Outcome::Ignored),
        }
    }

    /// Makes `owner` the module whose members of the comdat group `name` count, unless another is.
    pub(crate) fn claim_group(&self, name: &Name, owner: ScopeId) -> bool {
        let key = (self.home(owner), name.clone());
        *self.groups.lock().entry(key).or_insert(owner) == owner
    }
}

/// Tentative definitions merge: the largest size and the largest alignment.
fn merge_common(old: &mut Definition, new: &Definition) -> Outcome {
    if let (Definition::Common(old), Definition::Common(new)) = (old, new) {
        old.size = old.size.max(new.size);
        old.align = old.align.max(new.align);
    }
    Outcome::Ignored
}

#[cfg(test)]
mod tests;
