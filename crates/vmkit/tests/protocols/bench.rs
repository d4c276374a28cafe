//! A session with one module, whose functions have a few bytes each.
#![expect(unsafe_code, reason = "runs what was linked")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use vmkit::graph::{
    Binding as GraphBinding, Dependency, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind,
    Symbol,
};
use vmkit::listener::Listener;
use vmkit::{
    Addr, Binding, Descriptor, Error, Linkage, Name, Private, Resolution, Result, ScopeId, Session,
    Source, SymbolId, SymbolKind, Undefined, Unit, Visibility,
};

use crate::body;

/// What a function of the module does.
#[derive(Clone)]
pub(crate) enum Body {
    /// Returns a number.
    Number(u32),
    /// Calls another function and adds a number to what it returns.
    Plus(&'static str, u32),
    /// As `Plus`, of a symbol of the session.
    PlusOf(SymbolId, u32),
    /// Returns what another function would, whose number was inlined.
    Inlined(&'static str, u32),
    /// As `Number`, as long as an assumption holds.
    Assuming(SymbolId, u32),
    /// Adds a number to its second argument, and to its first floating-point argument.
    Sum(u32),
    /// Returns a number, which a call at a patch point before that may replace.
    Point(u32),
    /// Cannot be compiled.
    Broken,
}

/// A module whose definitions can be added to at any time; keys are never used again.
#[derive(Default)]
pub(crate) struct Module {
    name: OnceName,
    pub(crate) bodies: Mutex<HashMap<u64, Body>>,
    /// What it says of names of its own.
    pub(crate) own: Mutex<HashMap<Name, Resolution>>,
    next: AtomicU64,
    compiles: AtomicU64,
}

struct OnceName(Arc<str>);

impl Default for OnceName {
    fn default() -> Self {
        Self("module".into())
    }
}

impl Source for Module {
    fn name(&self) -> &Arc<str> {
        &self.name.0
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        self.compiles.fetch_add(1, Ordering::Relaxed);
        let body = self.bodies.lock().unwrap()[&key].clone();
        match body {
            Body::Number(number) => Ok(graph(&body::number(number), None, Vec::new())),
            Body::Plus(callee, number) => {
                let (code, call) = body::plus(number);
                Ok(graph(&code, Some((callee, call)), Vec::new()))
            }
            Body::PlusOf(callee, number) => {
                let (code, call) = body::plus(number);
                let mut graph = graph(&code, Some(("it", call)), Vec::new());
                graph.symbols[1].binding = GraphBinding::Session(callee, Linkage::Strong);
                Ok(graph)
            }
            Body::Inlined(callee, number) => {
                let body = Dependency::Body { symbol: 1, hash: u64::from(number) };
                let mut graph = graph(&body::number(number), None, vec![body]);
                graph.symbols.push(Symbol::undefined(callee.into()));
                Ok(graph)
            }
            Body::Assuming(assumption, number) => {
                let dependency = Dependency::Assumption(assumption);
                Ok(graph(&body::number(number), None, vec![dependency]))
            }
            Body::Sum(number) => Ok(graph(&body::sum(number), None, Vec::new())),
            Body::Point(number) => Ok(graph(&body::point(number), None, Vec::new())),
            Body::Broken => Err(Error::other("it is broken")),
        }
    }

    fn body_hash(&self, key: u64) -> Option<u64> {
        match self.bodies.lock().unwrap()[&key] {
            Body::Number(number) => Some(u64::from(number)),
            _ => None,
        }
    }

    fn resolve(&self, undefined: &Undefined<'_>) -> Result<Resolution> {
        let own = self.own.lock().unwrap().get(undefined.name).copied();
        Ok(own.unwrap_or(Resolution::Process))
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

fn graph(
    code: &[u8],
    call: Option<(&'static str, u64)>,
    dependencies: Vec<Dependency>,
) -> LinkGraph {
    let own = Symbol {
        name: "own".into(),
        place: Place::Section { index: 0, offset: 0 },
        binding: GraphBinding::Global(Linkage::Strong),
        visibility: Visibility::Default,
        kind: Some(SymbolKind::Function),
        size: code.len() as u64,
    };
    let mut symbols = vec![own];
    let mut edges = Vec::new();
    if let Some((callee, offset)) = call {
        symbols.push(Symbol {
            kind: Some(SymbolKind::Function),
            ..Symbol::undefined(Name::from(callee))
        });
        let (kind, addend) = body::CALL;
        edges.push(Edge { offset, kind: EdgeKind(kind), target: 1, addend });
    }
    let section = Section {
        name: ".text".into(),
        kind: SectionKind::Code,
        align: 16,
        size: code.len() as u64,
        bytes: code.to_vec(),
        edges,
        group: None,
    };
    LinkGraph { dependencies, ..LinkGraph::of_section("module".into(), section, symbols) }
}

/// A session with one module.
pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) module: Arc<Module>,
    pub(crate) scope: ScopeId,
}

pub(crate) type Function = extern "C" fn() -> u32;

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Binding::Direct, None)
    }

    pub(crate) fn with(binding: Binding, listener: Option<Arc<dyn Listener>>) -> Self {
        let mut builder = Session::builder().whole_process(false).compile_threads(2);
        builder = builder.binding(binding).on_failure(|_, _, _| Addr(missing as *const () as u64));
        if let Some(listener) = listener {
            builder = builder.listener(listener);
        }
        Self::of(builder)
    }

    pub(crate) fn of(builder: vmkit::Builder) -> Self {
        let session = builder.build().unwrap();
        let module = Arc::new(Module::default());
        let scope = session.add_source(module.clone());
        Self { session, module, scope }
    }

    pub(crate) fn key(&self, body: Body) -> u64 {
        let key = self.module.next.fetch_add(1, Ordering::Relaxed);
        self.module.bodies.lock().unwrap().insert(key, body);
        key
    }

    pub(crate) fn define(&self, name: &str, body: Body) -> SymbolId {
        let descriptor = Descriptor::strong(name.into(), SymbolKind::Function);
        let key = self.key(body);
        self.session.define(&descriptor, self.scope, key, Unit::Lazy).unwrap().0
    }

    /// `g`, which gives 1, and `f`, which calls it and adds 100.
    pub(crate) fn define_pair(&self) -> (SymbolId, SymbolId) {
        let g = self.define("g", Body::Number(1));
        (g, self.define("f", Body::Plus("g", 100)))
    }

    pub(crate) fn redefine(&self, id: SymbolId, body: Body) {
        self.session.redefine(id, self.scope, self.key(body)).unwrap();
    }

    pub(crate) fn redefine_compiled(&self, id: SymbolId, body: Body) -> Result<()> {
        self.session.redefine_compiled(id, self.scope, self.key(body))
    }

    pub(crate) fn function(&self, id: SymbolId) -> Function {
        let address = self.session.address(id).unwrap();
        // SAFETY: every function of the module is one of these.
        unsafe { std::mem::transmute(address.0 as *const ()) }
    }

    pub(crate) fn compiles(&self) -> u64 {
        self.module.compiles.load(Ordering::Relaxed)
    }

    pub(crate) fn reclaim(&self) -> usize {
        // SAFETY: threads of these tests run code only while they hold a reading, or none runs.
        unsafe { self.session.reclaim() }
    }
}

pub(crate) extern "C" fn missing() -> u32 {
    404
}
