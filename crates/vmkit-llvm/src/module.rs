//! A module as a source of definitions: functions compiled one by one, data lowered as it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use vmkit::graph::{Binding, Compile, LinkGraph, Place, Symbol};
use vmkit::{Error, Name, Private, Result, ScopeId, Source, SymbolKind, Unit};

use crate::ffi::{Index, Kind, ModuleRef, Needed, Object};
use crate::pool::Pool;

/// The key of a module's assembly.
pub(crate) const ASSEMBLY: u64 = u64::MAX;

/// Nanoseconds spent in parts of LLVM, and what was compiled.
#[derive(Default)]
pub(crate) struct Clocks {
    pub(crate) load: AtomicU64,
    pub(crate) materialize: AtomicU64,
    pub(crate) optimize: AtomicU64,
    pub(crate) codegen: AtomicU64,
    pub(crate) inlined: AtomicU64,
}

/// One module of a session.
pub(crate) struct Module {
    pub(crate) name: Arc<str>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) clocks: Arc<Clocks>,
    /// The pool's number of it.
    pub(crate) number: usize,
    scope: OnceLock<ScopeId>,
    /// The scope of the names that it shares.
    pub(crate) home: ScopeId,
    /// What each global value is, by key.
    pub(crate) kinds: Vec<Kind>,
    /// The keys of values that are compiled together with others, and those others' first key.
    pub(crate) units: FxHashMap<u32, u32>,
    /// Labels that are local to the module's assembly, which its functions may name.
    pub(crate) assembly: OnceLock<Assembly>,
}

/// A module's assembly, assembled.
pub(crate) struct Assembly {
    pub(crate) graph: LinkGraph,
    pub(crate) labels: FxHashMap<Name, SymbolKind>,
}

impl Source for Module {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        if key == ASSEMBLY {
            let assembly = self.assembly.get().ok_or_else(|| Error::other("no assembly"))?;
            return Ok(assembly.graph.clone());
        }
        let key = u32::try_from(key).map_err(Error::other)?;
        match self.kinds.get(key as usize) {
            Some(Kind::Function) => self.compile(key),
            Some(Kind::Data | Kind::ThreadLocal) => self.lower(key),
            kind => Err(Error::other(format!("{}: {kind:?} {key} has no code", self.name))),
        }
    }

    fn tidy(&self, graph: LinkGraph) {
        self.pool.tidy();
        drop(graph);
    }

    fn body_hash(&self, key: u64) -> Option<u64> {
        let key = u32::try_from(key).ok()?;
        if self.kinds.get(key as usize) != Some(&Kind::Function) {
            return None;
        }
        let hashed = self.pool.with(self.number, |worker, module| worker.body_hash(module, key));
        hashed.ok()?.ok()
    }

    fn signature(&self, key: u64) -> Option<String> {
        let key = u32::try_from(key).ok()?;
        let found = self.pool.with(self.number, |worker, module| worker.signature(module, key));
        found.ok()?.ok()
    }

    fn private(&self, key: u64) -> Private {
        if key == ASSEMBLY {
            return Private { key, kind: SymbolKind::Function, unit: Unit::Whole };
        }
        // Where there is no such definition, its compile says so.
        let known = usize::try_from(key).ok().and_then(|key| self.kinds.get(key));
        let kind = known.copied().unwrap_or(Kind::Data);
        let unit = self.units.get(&(key as u32));
        Private {
            key: unit.map_or(key, |&unit| u64::from(unit)),
            kind: symbol_kind(kind),
            unit: if unit.is_some() { Unit::Whole } else { unit_of(kind) },
        }
    }
}

/// How values of a kind are linked when nothing binds them to others.
pub(crate) fn unit_of(kind: Kind) -> Unit {
    match kind {
        Kind::Function | Kind::Indirect => Unit::Lazy,
        Kind::Data | Kind::ThreadLocal | Kind::Alias => Unit::Data,
    }
}

pub(crate) fn symbol_kind(kind: Kind) -> SymbolKind {
    match kind {
        Kind::Function => SymbolKind::Function,
        Kind::Indirect => SymbolKind::Indirect,
        Kind::ThreadLocal => SymbolKind::ThreadLocal,
        Kind::Data | Kind::Alias => SymbolKind::Data,
    }
}

impl Module {
    pub(crate) fn new(
        (pool, clocks): (&Arc<Pool>, &Arc<Clocks>),
        name: Arc<str>,
        home: ScopeId,
        number: usize,
        index: &Index<'_>,
    ) -> Arc<Self> {
        let (mut kinds, mut units) = (Vec::new(), FxHashMap::default());
        for (key, symbol) in index.symbols() {
            kinds.push(symbol.kind);
            if symbol.is_whole {
                units.insert(key, symbol.unit);
            }
        }
        Arc::new(Self {
            name,
            pool: pool.clone(),
            clocks: clocks.clone(),
            number,
            scope: OnceLock::new(),
            home,
            kinds,
            units,
            assembly: OnceLock::new(),
        })
    }

    /// Notes the scope that the session gave it.
    pub(crate) fn set_scope(&self, scope: ScopeId) {
        self.scope.set(scope).expect("a module is added once");
        self.pool.set_scope(self.number, scope);
    }

    pub(crate) fn scope(&self) -> ScopeId {
        *self.scope.get().expect("a module is added before it is used")
    }

    fn compile(&self, key: u32) -> Result<LinkGraph> {
        let began = Instant::now();
        let result = self.pool.with(self.number, |worker, module| {
            let load = began.elapsed();
            let object = self.pool.compile(worker, module, key, self.home)?;
            self.count(&object);
            let graph = self.graph(&object, module);
            let name = self.key_name(&object.needed, key);
            Ok(graph.map(|(graph, functions)| (graph, functions, name, phases(load, &object))))
        })?;
        let (mut graph, functions, name, phases) = match result {
            Ok(graph) => graph?,
            Err(what) => return Err(Error::compile(self.name_of(key), what)),
        };
        if !self.units.contains_key(&key) {
            let is_entry = |symbol: &Symbol| {
                Some(&symbol.name) == name.as_ref() && symbol.place != Place::Undefined
            };
            graph.entry = graph.symbols.iter().position(is_entry);
        }
        if self.pool.says_signatures {
            graph.signatures = self.signatures(&functions);
        }
        graph.compile = Some(Box::new(Compile { began, ended: Instant::now(), phases }));
        Ok(graph)
    }

    fn key_name(&self, needed: &[Needed<'_>], key: u32) -> Option<Name> {
        let is_it = |needed: &&Needed<'_>| needed.key == key && needed.module == self.number;
        needed.iter().find(is_it).map(|needed| Name::new(needed.name))
    }

    /// The name of a value, for messages.
    fn name_of(&self, key: u32) -> Name {
        let found = self.pool.with(self.number, |worker, module| {
            let index = worker.index(module)?;
            Ok(index.symbol(key).map(|symbol| Name::new(symbol.name)))
        });
        let found = found.ok().and_then(std::result::Result::ok).flatten();
        found.unwrap_or_else(|| Name::from(format!("{} #{key}", self.name).as_str()))
    }

    fn count(&self, object: &Object<'_>) {
        let clocks = &self.clocks;
        clocks.materialize.fetch_add(object.materialize_nanos, Ordering::Relaxed);
        clocks.optimize.fetch_add(object.optimize_nanos, Ordering::Relaxed);
        clocks.codegen.fetch_add(object.codegen_nanos, Ordering::Relaxed);
        clocks.inlined.fetch_add(object.inlined.len() as u64, Ordering::Relaxed);
    }

    /// Assembles the module's own assembly.
    pub(crate) fn assemble(&self) -> Result<()> {
        let assembled = self.pool.with(self.number, |worker, module| {
            let object = worker.compile_assembly(module)?;
            self.count(&object);
            let graph = LinkGraph::from_elf(&self.name, self.scope(), object.elf);
            Ok(graph.map(|graph| with_labels(graph, module)))
        })?;
        let assembly = assembled.map_err(|what| Error::input(self.name.clone(), what))??;
        let fresh = self.assembly.set(assembly).is_ok();
        debug_assert!(fresh, "a module is assembled once");
        Ok(())
    }

    fn lower(&self, key: u32) -> Result<LinkGraph> {
        let graph = self.pool.with(self.number, |worker, module| {
            let data = worker.lower_data(module, key)?;
            Ok(self.data_graph(&data, self.kinds[key as usize]))
        })?;
        graph.map_err(|what| Error::compile(self.name_of(key), what))
    }
}

/// What a compile spent its time on, `load` being what passed before it.
fn phases(load: Duration, object: &Object<'_>) -> [(&'static str, Duration); 4] {
    [
        ("load", load),
        ("materialize", Duration::from_nanos(object.materialize_nanos)),
        ("optimize", Duration::from_nanos(object.optimize_nanos)),
        ("codegen", Duration::from_nanos(object.codegen_nanos)),
    ]
}

/// Makes the assembly's local labels the module's, and finds the module's definitions it names.
fn with_labels(mut graph: LinkGraph, module: ModuleRef) -> Assembly {
    let mut labels = FxHashMap::default();
    for symbol in &mut graph.symbols {
        if symbol.name.bytes().is_empty() {
            continue;
        }
        match (symbol.place, symbol.binding) {
            (Place::Section { .. }, Binding::Graph) => {
                symbol.binding = Binding::Module(ASSEMBLY);
                labels.insert(symbol.name.clone(), symbol.kind.unwrap_or(SymbolKind::Data));
            }
            (Place::Undefined, _) => {
                if let Some(key) = module.find_private(symbol.name.bytes()) {
                    symbol.binding = Binding::Module(u64::from(key));
                }
            }
            _ => {}
        }
    }
    Assembly { graph, labels }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.pool.remove(self.number);
    }
}
