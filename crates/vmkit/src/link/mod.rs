//! Linking: resolve, place, fix up, publish.
//!
//! Linking a function costs its own edges and what waits for it; it never waits for what it calls.
//! Only what a function needs to exist, data and addresses, is linked with it.

mod bind;
mod data;
mod fixup;
mod place;
mod tell;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, ReentrantMutex};

use self::bind::Bound;
use self::data::Sets;
use crate::definition::{Alias, Definition, LibraryThreadLocal, Private, Unit};
use crate::error::{Error, Result};
use crate::graph::LinkGraph;
use crate::host;
use crate::listener::Listener;
use crate::memory::{Memory, Zone};
use crate::patch;
use crate::process::{Found, Libraries, ThreadLocals};
use crate::stats::Counters;
use crate::stub::{StubId, Stubs};
use crate::symbol::{Addr, Name, ScopeId, SymbolId, SymbolKind};
use crate::table::{Entry, Event, Inner, Site, State, Table};
use crate::unwind;

/// Everything linking works on. No lock is held while a module or a library is asked, except
/// the one that orders units linked as a whole.
pub(crate) struct Linker {
    pub(crate) memory: Memory,
    pub(crate) table: Table,
    pub(crate) stubs: Stubs,
    pub(crate) libraries: Libraries,
    pub(crate) counters: Counters,
    listeners: Vec<Arc<dyn Listener>>,
    threads: ThreadLocals,
    sets: Sets,
    /// Orders the placing of data that may refer to one another in circles.
    data: ReentrantMutex<()>,
    /// Orders units that are linked as a whole, which may need one another's addresses.
    whole: ReentrantMutex<RefCell<Whole>>,
    /// By the address of their code.
    loaded: Mutex<BTreeMap<u64, Function>>,
    structors: Mutex<Structors>,
}

/// Units being linked as a whole, from the outermost inwards.
#[derive(Default)]
struct Whole {
    depth: usize,
    finished: Vec<(SymbolId, u64)>,
}

/// Functions that linked objects want run before and after the program: priority and address.
#[derive(Default, Clone, Debug)]
pub struct Structors {
    /// Before the program; smaller priorities first.
    pub constructors: Vec<(u16, Addr)>,
    /// After the program; larger priorities first.
    pub destructors: Vec<(u16, Addr)>,
}

/// Code of a function, by final address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function {
    pub(crate) start: Addr,
    pub(crate) size: u64,
    pub(crate) symbol: SymbolId,
}

impl Linker {
    pub(crate) fn new(
        memory: Memory,
        stubs: Stubs,
        libraries: Libraries,
        listeners: Vec<Arc<dyn Listener>>,
    ) -> Result<Self> {
        Ok(Self {
            memory,
            table: Table::new(),
            stubs,
            libraries,
            counters: Counters::default(),
            listeners,
            threads: ThreadLocals::new()?,
            sets: Sets::default(),
            data: ReentrantMutex::new(()),
            whole: ReentrantMutex::default(),
            loaded: Mutex::default(),
            structors: Mutex::default(),
        })
    }

    /// Does the symbol's definition belong to the module with this scope?
    pub(crate) fn is_defined_in(&self, id: SymbolId, scope: ScopeId) -> bool {
        let inner = self.table.entry(id).lock();
        matches!(inner.definition, Some(Definition::Module { scope: found, .. }) if found == scope)
    }

    /// The private definition `key` of the module with this scope.
    pub(crate) fn private(&self, scope: ScopeId, name: &Name, key: u64) -> SymbolId {
        let id = self.table.symbol(scope, name);
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        if inner.definition.is_none()
            && let Some(source) = self.table.source(scope)
        {
            let private = source.private(key);
            inner.kind = Some(private.kind);
            let Private { key, unit, .. } = private;
            inner.definition = Some(Definition::Module { scope, key, unit });
            entry.advance(Event::Define);
        }
        id
    }

    /// Follows aliases from a symbol to the one that has an address, and the offset from it.
    pub(crate) fn target(&self, mut id: SymbolId) -> Result<(SymbolId, i64)> {
        let mut total = 0i64;
        for _ in 0..64 {
            let definition = self.table.entry(id).lock().definition.clone();
            let Some(Definition::Alias(alias)) = definition else { return Ok((id, total)) };
            let Alias { target, offset, body } = *alias;
            (id, total) = (target, total.wrapping_add(offset));
            if let Some((scope, key)) = body
                && !self.is_defined_in(target, scope)
            {
                id = self.private(scope, self.table.entry(target).name(), key);
            }
        }
        Err(Error::other(format!("alias {} goes in a circle", self.table.entry(id).name())))
    }

    /// Finds or produces the address of `id` and publishes it. Called on a compile thread.
    pub(crate) fn materialize(&self, id: SymbolId) -> Result<()> {
        let entry = self.table.entry(id);
        let definition = entry.lock().definition.clone();
        match definition {
            None => match self.look_up(id) {
                Some(address) => self.publish(id, address),
                None => return Err(Error::undefined(entry.name().clone(), None)),
            },
            Some(Definition::Module { scope, key, unit: Unit::Lazy }) => {
                let graph = self.produce(scope, key)?;
                let finished = self.counters.link(|| self.link(id, graph))?;
                // Whoever is woken may run at once, in this thread's place.
                finished.iter().for_each(|&(id, _)| host::wake_all(self.table.entry(id).word()));
            }
            Some(Definition::Indirect { resolver }) => {
                let resolver = self.stub_address(resolver)?;
                entry.place(resolver.0);
                entry.advance(Event::Defer);
                host::wake_all(entry.word());
            }
            Some(_) => {
                let address = self.address(id, id)?;
                self.publish(id, address);
            }
        }
        Ok(())
    }

    /// What the module of a scope defines under a key.
    fn produce(&self, scope: ScopeId, key: u64) -> Result<LinkGraph> {
        let source = self.table.source(scope);
        let source = source.ok_or_else(|| Error::other("a definition without a module"))?;
        self.counters.materialize(|| source.materialize(key))
    }

    /// Links the graph that `id`'s definition gave.
    /// Gives the symbols that are ready now, whose waiters are still to be woken.
    fn link(&self, id: SymbolId, graph: LinkGraph) -> Result<Vec<(SymbolId, u64)>> {
        let symbols = self.bind(id, &graph)?;
        let values = self.require(id, &symbols)?;
        let placed = self.place(&graph, &symbols, None)?;
        let finished =
            self.fix_up(id, &Bound { graph: &graph, symbols: &symbols, values }, placed)?;
        // Once it is published, the program may run to its end.
        Counters::add(&self.counters.functions_compiled, 1);
        finished.iter().for_each(|&(id, address)| self.settle(id, address));
        Ok(finished)
    }

    /// Links a unit that goes as a whole, and whatever units it needs the addresses of.
    fn link_whole(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        let whole = self.whole.lock();
        if self.table.entry(id).address() != 0 {
            return Ok(());
        }
        whole.borrow_mut().depth += 1;
        let result = self.place_whole(id, scope, key);
        let mut state = whole.borrow_mut();
        state.depth -= 1;
        match result {
            Ok(finished) => state.finished.extend(finished),
            Err(error) => return Err(error),
        }
        // Only the outermost knows that everything its code can reach is there.
        if state.depth == 0 {
            let finished = std::mem::take(&mut state.finished);
            drop(state);
            self.publish_all(&finished);
        }
        Ok(())
    }

    fn place_whole(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<Vec<(SymbolId, u64)>> {
        let graph = self.produce(scope, key)?;
        // Addresses first, so that units in a circle find one another's.
        let symbols = self.bind(id, &graph)?;
        let placed = self.place(&graph, &symbols, None)?;
        let values = self.require(id, &symbols)?;
        let finished =
            self.fix_up(id, &Bound { graph: &graph, symbols: &symbols, values }, placed)?;
        Counters::add(&self.counters.functions_compiled, graph.functions());
        Ok(finished)
    }

    fn publish_all(&self, finished: &[(SymbolId, u64)]) {
        for &(id, address) in finished {
            self.publish(id, address);
        }
    }

    /// Makes `address` the one that `id`'s callers go to, and binds the sites that wait for it.
    pub(crate) fn publish(&self, id: SymbolId, address: u64) {
        self.settle(id, address);
        host::wake_all(self.table.entry(id).word());
    }

    /// As [`Linker::publish`], and wakes nobody.
    fn settle(&self, id: SymbolId, address: u64) {
        let entry = self.table.entry(id);
        let inner = entry.lock();
        if entry.state() == State::Ready {
            return;
        }
        entry.place(address);
        if let Some(stub) = stub_of(&inner) {
            self.stubs.store(stub, Addr(address));
        }
        entry.advance(Event::Publish);
        let bound = inner.users().iter().filter(|&&site| self.bind_site(site, Addr(address)));
        Counters::add(&self.counters.sites_bound, bound.count() as u64);
    }

    fn bind_site(&self, site: Site, address: Addr) -> bool {
        self.memory.contains(address) && patch::bind(&self.memory, site, address)
    }

    /// The stub of a symbol; made if there is none.
    pub(crate) fn stub_address(&self, id: SymbolId) -> Result<Addr> {
        let entry = self.table.entry(id);
        Ok(self.stubs.address(self.stub(id, entry, &mut entry.lock())?))
    }

    fn stub(&self, id: SymbolId, entry: &Entry, inner: &mut Inner) -> Result<StubId> {
        if let Some(stub) = stub_of(inner) {
            return Ok(stub);
        }
        let stub = self.stubs.allocate(&self.memory, id)?;
        inner.stub = stub.0 + 1;
        self.tell_stub(id, stub);
        if entry.state() == State::Ready {
            self.stubs.store(stub, Addr(entry.address()));
        }
        Ok(stub)
    }

    /// Asks the libraries for an undefined symbol, and remembers what they say.
    fn look_up(&self, id: SymbolId) -> Option<u64> {
        let entry = self.table.entry(id);
        if entry.scope() != ScopeId::GLOBAL {
            return None;
        }
        let found = self.libraries.find(entry.name())?;
        let mut inner = entry.lock();
        if inner.definition.is_none() {
            inner.definition = Some(match found {
                Found::At(address) => Definition::Absolute(address),
                Found::ThreadLocal { module, offset } => {
                    inner.kind = Some(SymbolKind::ThreadLocal);
                    Definition::LibraryThreadLocal(Box::new(LibraryThreadLocal { module, offset }))
                }
            });
            entry.advance(Event::Define);
        }
        match found {
            Found::At(address) => Some(address.0),
            Found::ThreadLocal { .. } => Some(0),
        }
    }

    /// The address of a symbol as data sees it: for ever the same, never null but for a weak
    /// symbol that nobody defines. `user` is the code that needs it.
    pub(crate) fn address(&self, id: SymbolId, user: SymbolId) -> Result<u64> {
        let (target, offset) = self.target(id)?;
        let entry = self.table.entry(target);
        let inner = entry.lock();
        let (definition, kind) = (inner.definition.clone(), inner.kind);
        drop(inner);
        let is_ready = entry.state() == State::Ready;
        let address = match definition {
            Some(Definition::Absolute(address)) => address.0,
            Some(Definition::Module { unit: Unit::Lazy, .. } | Definition::Indirect { .. }) => {
                self.stub_address(target)?.0
            }
            Some(_) if is_ready => entry.address(),
            Some(Definition::Module { scope, key, unit: Unit::Whole }) => {
                self.link_whole(target, scope, key)?;
                entry.address()
            }
            Some(Definition::Module { unit: Unit::Data, .. } | Definition::Common(_)) => {
                self.require_data(target)?;
                entry.address()
            }
            Some(Definition::LibraryThreadLocal(_)) => 0,
            Some(Definition::Alias(_)) => unreachable!("aliases were followed"),
            None if kind == Some(SymbolKind::Function) && !self.is_known(target) => {
                self.stub_address(target)?.0
            }
            None => match self.bound_of_set(entry.name(), user)?.or_else(|| self.look_up(target)) {
                Some(address) => address,
                None => {
                    let user = self.table.entry(user).name().clone();
                    return Err(Error::undefined(entry.name().clone(), Some(user)));
                }
            },
        };
        Ok(address.wrapping_add_signed(offset))
    }

    /// Does a library define this symbol?
    fn is_known(&self, id: SymbolId) -> bool {
        self.look_up(id).is_some()
    }

    /// Is there nothing at all that defines this symbol?
    fn is_absent(&self, id: SymbolId) -> Result<bool> {
        let (target, _) = self.target(id)?;
        let entry = self.table.entry(target);
        let is_undefined = entry.lock().definition.is_none();
        Ok(is_undefined && !self.is_bound_of_set(entry.name()) && !self.is_known(target))
    }

    /// The slot that holds `value`, the address of `id`; its offset in the slot area.
    fn slot(&self, id: SymbolId, value: u64) -> Result<Addr> {
        let mut inner = self.table.entry(id).lock();
        let start = self.memory.start(Zone::Slots);
        if inner.slot != 0 {
            return Ok(start.offset(i64::from(inner.slot - 1)));
        }
        let slot = self.words([value])?;
        inner.slot = (slot.0 - start.0) as u32 + 1;
        Ok(slot)
    }

    /// Fresh words in the slot area.
    fn words<const N: usize>(&self, values: [u64; N]) -> Result<Addr> {
        let mut block = self.memory.allocate(Zone::Slots, 8 * N as u64, 8)?;
        for (word, value) in block.bytes_mut().chunks_exact_mut(8).zip(values) {
            word.copy_from_slice(&value.to_le_bytes());
        }
        Ok(block.addr)
    }

    /// The {module, offset} pair of a thread-local variable.
    fn pair(&self, id: SymbolId, user: SymbolId) -> Result<Addr> {
        let (target, offset) = self.target(id)?;
        self.address(target, user)?;
        let mut inner = self.table.entry(target).lock();
        let start = self.memory.start(Zone::Slots);
        if inner.pair == 0 {
            let Some(Definition::LibraryThreadLocal(variable)) = &inner.definition else {
                let name = self.table.entry(target).name();
                return Err(Error::other(format!("{name} is used as thread-local, but is not")));
            };
            let LibraryThreadLocal { module, offset } = **variable;
            inner.pair = (self.words([module, offset])?.0 - start.0) as u32 + 1;
        }
        let pair = start.offset(i64::from(inner.pair - 1));
        drop(inner);
        if offset == 0 {
            return Ok(pair);
        }
        Err(Error::other(format!(
            "{} is an alias into the midst of a thread-local variable",
            self.table.entry(id).name()
        )))
    }

    fn register_unwind(&self, records: Addr) {
        unwind::register(records);
    }

    /// The function whose code `address` lies in.
    pub(crate) fn function_at(&self, address: Addr) -> Option<Function> {
        let loaded = self.loaded.lock();
        let (_, function) = loaded.range(..=address.0).next_back()?;
        (address.0 - function.start.0 < function.size).then_some(*function)
    }

    /// What linked objects want run before and after the program.
    pub(crate) fn structors(&self) -> Structors {
        self.structors.lock().clone()
    }
}

/// The stub of an entry.
pub(crate) fn stub_of(inner: &Inner) -> Option<StubId> {
    inner.stub.checked_sub(1).map(StubId)
}
