//! A module as a source of definitions: functions compiled one by one, data lowered as it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use vmkit::graph::{
    Binding, Compile, Dependency, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol,
};
use vmkit::{Error, Linkage, Name, Private, Result, ScopeId, Source, SymbolKind, Unit, Visibility};

use crate::ffi::{self, Data, Index, Kind, ModuleRef, Needed, Object, Pointer};
use crate::llvm::Llvm;
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
    /// The functions that it defines for others.
    pub(crate) functions: Vec<Name>,
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
        let kind = self.kinds[key as usize];
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
        llvm: &Llvm,
        name: Arc<str>,
        home: ScopeId,
        number: usize,
        index: &Index<'_>,
    ) -> Arc<Self> {
        let whole = index.symbols.iter().enumerate().filter(|(_, symbol)| symbol.is_whole);
        let is_shared = |symbol: &&ffi::Symbol<'_>| {
            symbol.kind == Kind::Function && symbol.linkage == ffi::Linkage::Strong
        };
        let functions = index.symbols.iter().filter(is_shared);
        Arc::new(Self {
            name,
            pool: llvm.pool.clone(),
            clocks: llvm.clocks.clone(),
            number,
            scope: OnceLock::new(),
            home,
            functions: functions.map(|symbol| Name::new(symbol.name)).collect(),
            kinds: index.symbols.iter().map(|symbol| symbol.kind).collect(),
            units: whole.map(|(key, symbol)| (key as u32, symbol.unit)).collect(),
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
            Ok(graph.map(|graph| (graph, name, phases(load, &object))))
        })?;
        let (mut graph, name, phases) = match result {
            Ok(graph) => graph?,
            Err(what) => return Err(Error::compile(self.name_of(key), what)),
        };
        if !self.units.contains_key(&key) {
            let is_entry = |symbol: &Symbol| {
                Some(&symbol.name) == name.as_ref() && symbol.place != Place::Undefined
            };
            graph.entry = graph.symbols.iter().position(is_entry);
        }
        graph.compile = Some(Compile { began, ended: Instant::now(), phases });
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
            Ok(index.symbols.get(key as usize).map(|symbol| Name::new(symbol.name)))
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

    /// The graph of an object, its symbols known to their modules again.
    fn graph(&self, object: &Object<'_>, module: ModuleRef) -> Result<LinkGraph> {
        let mut graph = LinkGraph::from_elf(&self.name, self.scope(), object.elf)?;
        let by_symbol: FxHashMap<&[u8], usize> =
            object.needed.iter().enumerate().map(|(n, needed)| (needed.symbol, n)).collect();
        let mut places = vec![None; object.needed.len()];
        for (place, symbol) in graph.symbols.iter_mut().enumerate() {
            if symbol.binding == Binding::Graph {
                continue;
            }
            let number = by_symbol.get(symbol.name.bytes());
            match number.map(|&number| (number, &object.needed[number])) {
                Some((number, needed)) => {
                    places[number] = Some(place);
                    self.identify(symbol, needed);
                }
                None => self.identify_unlisted(symbol, module),
            }
        }
        graph.dependencies = object
            .inlined
            .iter()
            .map(|inlined| {
                let number = inlined.needed as usize;
                let place = places[number].unwrap_or_else(|| {
                    graph.symbols.push(self.needed_symbol(&object.needed[number]));
                    graph.symbols.len() - 1
                });
                Dependency::Body { symbol: place, hash: inlined.hash }
            })
            .collect();
        Ok(graph)
    }

    /// Makes an object's symbol that of the module which means it.
    fn identify(&self, symbol: &mut Symbol, needed: &Needed<'_>) {
        symbol.kind = Some(symbol_kind(needed.kind));
        if needed.symbol != needed.name {
            symbol.name = Name::new(needed.name);
        }
        if needed.is_private {
            symbol.binding = self.private_binding(needed);
        }
        if needed.module == self.number {
            self.identify_label(symbol);
        }
    }

    /// As [`Module::identify`], for what only assembly or the code generator names.
    fn identify_unlisted(&self, symbol: &mut Symbol, module: ModuleRef) {
        if symbol.place == Place::Undefined
            && let Some(key) = module.find_private(symbol.name.bytes())
        {
            symbol.binding = Binding::Module(u64::from(key));
        }
        self.identify_label(symbol);
    }

    fn identify_label(&self, symbol: &mut Symbol) {
        let labels = self.assembly.get().map(|assembly| &assembly.labels);
        if let Some(kind) = labels.and_then(|labels| labels.get(&symbol.name)) {
            symbol.kind = Some(*kind);
            symbol.binding = Binding::Module(ASSEMBLY);
        }
    }

    fn private_binding(&self, needed: &Needed<'_>) -> Binding {
        let key = u64::from(needed.key);
        match needed.module == self.number {
            true => Binding::Module(key),
            false => Binding::Imported(self.pool.scope(needed.module), key),
        }
    }

    fn needed_symbol(&self, needed: &Needed<'_>) -> Symbol {
        Symbol {
            name: Name::new(needed.name),
            place: Place::Undefined,
            binding: match (needed.is_private, needed.is_weak) {
                (true, _) => self.private_binding(needed),
                (false, true) => Binding::Global(Linkage::Weak),
                (false, false) => Binding::Global(Linkage::Strong),
            },
            visibility: Visibility::Default,
            kind: Some(symbol_kind(needed.kind)),
            size: 0,
        }
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

    fn data_graph(&self, data: &Data<'_>, kind: Kind) -> LinkGraph {
        let mut symbols: Vec<_> =
            data.needed.iter().map(|needed| self.needed_symbol(needed)).collect();
        symbols[0].place = Place::Section { index: 0, offset: 0 };
        symbols[0].size = data.size;
        let section = Section {
            name: ".data".into(),
            kind: match kind {
                Kind::ThreadLocal => SectionKind::ThreadLocal,
                _ if data.is_constant => SectionKind::ReadOnly,
                _ => SectionKind::Data,
            },
            align: data.align,
            // An object without size still has an address of its own.
            size: data.size.max(1),
            bytes: data.bytes.to_vec(),
            edges: data.pointers.iter().map(edge).collect(),
            group: None,
        };
        LinkGraph {
            name: self.name.clone(),
            scope: self.scope(),
            sections: vec![section],
            symbols,
            entry: Some(0),
            groups: Vec::new(),
            dependencies: Vec::new(),
            compile: None,
        }
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

/// A pointer's edge, by the numbers of the x86-64 psABI.
fn edge(pointer: &Pointer) -> Edge {
    let kind = match (pointer.size, pointer.is_relative != 0) {
        (8, false) => 1,  // R_X86_64_64
        (4, false) => 10, // R_X86_64_32
        (2, false) => 12, // R_X86_64_16
        (1, false) => 14, // R_X86_64_8
        (8, true) => 24,  // R_X86_64_PC64
        (4, true) => 2,   // R_X86_64_PC32
        (2, true) => 13,  // R_X86_64_PC16
        (1, true) => 15,  // R_X86_64_PC8
        // No such relocation: the linker says so.
        _ => u32::MAX,
    };
    Edge {
        offset: pointer.offset,
        kind: EdgeKind(kind),
        target: pointer.needed as usize,
        addend: pointer.addend,
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.pool.remove(self.number);
    }
}
