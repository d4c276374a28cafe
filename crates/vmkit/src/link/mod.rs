//! Linking: resolve, place, fix up, publish.
//!
//! Linking a function costs its own edges and what waits for it; it never waits for what it calls.
//! Only what a function needs to exist, data and addresses, is linked with it.

mod address;
mod bind;
mod data;
mod fixup;
mod free;
mod loaded;
mod materialize;
mod near;
mod place;
mod publish;
mod redefine;
mod replaced;
mod scope;
mod sets;
mod share;
mod signature;
mod tell;
mod together;
mod whole;

use std::sync::Arc;

use parking_lot::{Mutex, ReentrantMutex};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::bind::{Bound, Target};
use self::data::Former;
use self::loaded::Loaded;
use self::near::Near;
pub use self::redefine::Why;
pub use self::together::Change;
use self::whole::Whole;
use crate::allocation::{Allocation, AllocationId, Allocations};
use crate::definition::{Definition, Private};
use crate::error::{Error, Result};
use crate::graph::{Dependency, LinkGraph};
use crate::host::Waiters;
use crate::listener::Listener;
use crate::memory::{Block, Memory, Zone};
use crate::metadata::Checked;
use crate::process::{Libraries, ThreadLocals};
use crate::reclaim::Retired;
use crate::resolver::Resolver;
use crate::stats::Counters;
use crate::stub::{StubId, Stubs};
use crate::symbol::{Addr, Binding, Name, ScopeId, Signatures, SymbolId};
use crate::table::{Dependent, Event, Inner, Table};
use crate::unwind::Records;

/// Everything linking works on. No lock is held while a module or a library is asked, except
/// the one that orders units linked as a whole.
pub(crate) struct Linker {
    /// Before the memory that they are in: dropped first.
    unwind: Records,
    /// What of such records was checked.
    checked: Checked,
    pub(crate) memory: Memory,
    pub(crate) table: Table,
    pub(crate) stubs: Stubs,
    pub(crate) libraries: Libraries,
    pub(crate) counters: Counters,
    /// Those who wait for symbols to become ready.
    pub(crate) waiters: Waiters,
    threads: ThreadLocals,
    sets: sets::Sets,
    near: Near,
    /// Orders the placing of data that may refer to one another in circles.
    data: ReentrantMutex<()>,
    whole: Whole,
    loaded: Mutex<Loaded>,
    structors: Mutex<Structors>,
    /// One redefinition of data at a time.
    redefining: Mutex<()>,
    /// Places where data was before it was redefined.
    former: Mutex<Vec<Former>>,
    pub(crate) allocations: Allocations,
    /// What nobody calls any more.
    pub(crate) retired: Retired,
    /// Why symbols went back to where their code has to be compiled.
    reasons: Mutex<FxHashMap<SymbolId, Vec<SymbolId>>>,
    policy: Policy,
    /// What code takes functions to be that nobody defines yet, and which module that code is of.
    expected: Mutex<FxHashMap<SymbolId, (String, Arc<str>)>>,
}

/// What whoever made the session decides.
pub(crate) struct Policy {
    pub(crate) listeners: Vec<Arc<dyn Listener>>,
    /// How calls reach functions of which nothing else is said.
    pub(crate) binding: Binding,
    pub(crate) signatures: Signatures,
    pub(crate) resolver: Option<Resolver>,
}

/// Symbols that are ready now, and their addresses.
type Finished = SmallVec<[(SymbolId, u64); 1]>;

/// What was linked and is not called yet.
struct Apart {
    allocation: AllocationId,
    finished: Finished,
    /// Does all that the code took for granted still hold?
    is_current: bool,
}

/// Functions that linked objects want run before and after the program: priority and address.
#[derive(Default, Clone, Debug)]
pub struct Structors {
    /// Before the program; smaller priorities first.
    pub constructors: Vec<(u16, Addr)>,
    /// After the program; larger priorities first.
    pub destructors: Vec<(u16, Addr)>,
}

/// Where a function's code is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function {
    pub(crate) start: Addr,
    pub(crate) symbol: SymbolId,
}

impl Linker {
    pub(crate) fn new(
        memory: Memory,
        stubs: Stubs,
        libraries: Libraries,
        policy: Policy,
    ) -> Result<Self> {
        Ok(Self {
            unwind: Records::default(),
            checked: Checked::default(),
            memory,
            table: Table::new(!policy.listeners.is_empty()),
            stubs,
            libraries,
            counters: Counters::default(),
            waiters: Waiters::default(),
            threads: ThreadLocals::new(),
            sets: sets::Sets::default(),
            near: Near::default(),
            data: ReentrantMutex::new(()),
            whole: Whole::default(),
            loaded: Mutex::default(),
            structors: Mutex::default(),
            redefining: Mutex::default(),
            former: Mutex::default(),
            allocations: Allocations::default(),
            retired: Retired::default(),
            reasons: Mutex::default(),
            policy,
            expected: Mutex::default(),
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

    /// Links the graph that `id`'s definition gave, as it was at the time `began`, and makes it what is
    /// called. Gives the symbols that are ready now, whose waiters are still to be woken; none if
    /// what the graph was made from no longer holds.
    fn link(
        &self,
        id: SymbolId,
        scope: ScopeId,
        graph: &LinkGraph,
        began: u32,
    ) -> Result<Option<Finished>> {
        let Apart { allocation, finished, is_current } =
            self.link_apart(id, scope, graph, began)?;
        // Once it is published, the program may run to its end.
        Counters::add(&self.counters.functions_compiled, 1);
        let own = finished.iter().find(|finished| finished.0 == id);
        if let Some(&(_, address)) = own.filter(|_| is_current)
            && self.settle(id, address, Some(allocation), began)
        {
            for &(other, address) in finished.iter().filter(|finished| finished.0 != id) {
                self.settle_by_product(other, address);
            }
            return Ok(Some(finished));
        }
        let is_empty = own.is_none();
        self.abandon(allocation);
        match is_empty {
            true => Err(Error::compile(self.name(id), "no code came of it")),
            false => Ok(None),
        }
    }

    /// Links a graph, as it was at the time `began`, and leaves it to the caller to have it called.
    fn link_apart(
        &self,
        id: SymbolId,
        scope: ScopeId,
        graph: &LinkGraph,
        began: u32,
    ) -> Result<Apart> {
        let mut own = self.allocations.begin(id, scope);
        self.table.hold_for(scope, id);
        if graph.scope != scope {
            self.table.hold_for(graph.scope, id);
            own.scopes.push(graph.scope);
        }
        let finished = self.link_into(&mut own, graph);
        // Nobody could tell when by-products, such as labels in assembly, are not used any more.
        own.is_pinned = finished.as_ref().is_ok_and(|finished| finished.len() > 1);
        let is_current = finished.is_ok() && self.depend(&mut own, graph, began);
        self.allocations.keep(&own);
        let allocation = own.id;
        match finished {
            Ok(finished) => Ok(Apart { allocation, finished, is_current }),
            Err(error) => {
                self.abandon(allocation);
                Err(error)
            }
        }
    }

    fn link_into(&self, own: &mut Allocation, graph: &LinkGraph) -> Result<Finished> {
        let id = own.symbol;
        let symbols = self.bind(id, graph)?;
        self.check_assumptions(graph)?;
        self.check_signatures(graph, &symbols)?;
        let values = self.require(id, own, &symbols)?;
        let placed = self.place(graph, &symbols, false)?;
        own.extents.extend(placed.blocks.iter().map(Block::extent));
        self.fix_up(id, own, &Bound { graph, symbols: &symbols, values }, placed)
    }

    /// Refuses code that takes for granted what this session could not tell it of.
    fn check_assumptions(&self, graph: &LinkGraph) -> Result<()> {
        graph.dependencies.iter().try_for_each(|dependency| match *dependency {
            Dependency::Assumption(id) if !self.table.has(id) => {
                Err(Error::other("an assumption of another session: make it in this one"))
            }
            _ => Ok(()),
        })
    }

    /// Notes what a graph takes for granted; tells whether all of it still holds.
    fn depend(&self, own: &mut Allocation, graph: &LinkGraph, began: u32) -> bool {
        if graph.dependencies.is_empty() {
            return true;
        }
        let home = self.table.home(graph.scope);
        graph.dependencies.iter().all(|dependency| {
            let (id, hash) = match *dependency {
                Dependency::Assumption(id) => (id, None),
                Dependency::Body { symbol, hash } => {
                    match self.bind_needed(home, graph, &graph.symbols[symbol]) {
                        Target::Symbol { id, .. } => (id, Some(hash)),
                        _ => return true,
                    }
                }
            };
            let mut inner = self.table.entry(id).lock();
            if is_after(inner.changed, began) {
                return false;
            }
            inner.add_dependent(Dependent { owner: own.id, hash });
            // What the body calls may be private to its module.
            let scope = inner.definition.as_ref().and_then(Definition::scope);
            scope.iter().for_each(|&scope| self.table.hold_for(scope, own.symbol));
            drop(inner);
            own.relies_on.push(id);
            own.scopes.extend(scope);
            true
        })
    }

    /// The function whose code `address` lies in.
    pub(crate) fn function_at(&self, address: Addr) -> Option<Function> {
        let offset = u32::try_from(self.offset_in_code(address)?).ok()?;
        let code = self.loaded.lock().at(offset)?;
        let start = address.offset(-i64::from(offset - code.start));
        Some(Function { start, symbol: self.table.symbol_at(code.symbol) })
    }

    /// Where an address is in the zone of code, if it is not before it.
    fn offset_in_code(&self, address: Addr) -> Option<u64> {
        address.0.checked_sub(self.memory.start(Zone::Code).0)
    }

    /// What linked objects want run before and after the program.
    pub(crate) fn structors(&self) -> Structors {
        self.structors.lock().clone()
    }
}

/// Is one time by the table's clock after another?
fn is_after(time: u32, other: u32) -> bool {
    time.wrapping_sub(other).cast_signed() > 0
}

/// The stub of an entry.
pub(crate) fn stub_of(inner: &Inner) -> Option<StubId> {
    let is_made = inner.stub != Inner::PROMISED;
    inner.stub.checked_sub(1).filter(|_| is_made).map(StubId)
}
