//! A module's definitions as the session asks for them.

use std::collections::HashMap;
use std::sync::Arc;

use cranelift_codegen::ir::Function;
use parking_lot::{Mutex, RwLock};
use rustc_hash::{FxHashMap, FxHashSet};
use vmkit::graph::LinkGraph;
use vmkit::{
    Addr, Error, Name, Private, Resolution, Result, ScopeId, Source, SymbolKind, Undefined, Unit,
};

use crate::compile::Compiler;
use crate::definition::Body;
use crate::inline::Bodies;
use crate::signature;

/// Who is asked where something is.
pub(super) type Lookup = Box<dyn Fn(&str) -> Option<*const u8> + Send>;

/// What a key is of. Its bits: the module's number of it, then whether it is thread-local, then
/// whether it is data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Function(u32),
    Data(u32),
    ThreadLocal(u32),
}

impl Key {
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Function(id) => u64::from(id) << 2,
            Self::Data(id) => u64::from(id) << 2 | 1,
            Self::ThreadLocal(id) => u64::from(id) << 2 | 3,
        }
    }

    pub(super) fn kind(self) -> SymbolKind {
        kind(self.number())
    }
}

fn kind(key: u64) -> SymbolKind {
    match key & 3 {
        0 => SymbolKind::Function,
        1 => SymbolKind::Data,
        _ => SymbolKind::ThreadLocal,
    }
}

/// What a key stands for now.
#[derive(Clone)]
pub(super) enum Item {
    /// A function in CLIF.
    Body(Name, Body),
    /// Code or data that needs no compiler any more.
    Graph(Arc<LinkGraph>),
}

/// A module's definitions.
pub(super) struct Definitions {
    compiler: Arc<Compiler>,
    pub(super) name: Arc<str>,
    home: ScopeId,
    items: RwLock<FxHashMap<u64, Item>>,
    symbols: HashMap<String, Addr>,
    lookups: Mutex<Vec<Lookup>>,
    /// Names that stand for what others define.
    imports: Mutex<FxHashSet<Name>>,
}

impl Definitions {
    pub(super) fn new(
        compiler: Arc<Compiler>,
        home: ScopeId,
        symbols: HashMap<String, Addr>,
        lookups: Vec<Lookup>,
    ) -> Self {
        Self {
            compiler,
            name: "JIT module".into(),
            home,
            items: RwLock::default(),
            symbols,
            lookups: Mutex::new(lookups),
            imports: Mutex::default(),
        }
    }

    /// Notes that a name stands for what others define.
    pub(super) fn import(&self, name: Name) {
        self.imports.lock().insert(name);
    }

    pub(super) fn holds(&self, key: u64) -> bool {
        self.items.read().contains_key(&key)
    }

    pub(super) fn set(&self, key: u64, item: Item) {
        self.items.write().insert(key, item);
    }

    pub(super) fn remove(&self, key: u64) {
        self.items.write().remove(&key);
    }

    /// Bytes of what is data.
    pub(super) fn size(&self, key: u64) -> usize {
        match self.items.read().get(&key) {
            Some(Item::Graph(graph)) => graph.symbols[0].size as usize,
            _ => 0,
        }
    }

    fn item(&self, key: u64) -> Option<Item> {
        self.items.read().get(&key).cloned()
    }

    /// Where the builder or somebody whom it names says that something is.
    pub(super) fn address_of(&self, name: &str) -> Option<Addr> {
        self.symbols.get(name).copied().or_else(|| self.look_up(name))
    }

    /// What somebody says of a name.
    fn look_up(&self, name: &str) -> Option<Addr> {
        let lookups = self.lookups.lock();
        let pointer = lookups.iter().rev().find_map(|lookup| lookup(name))?;
        Some(Addr(pointer.expose_provenance() as u64))
    }
}

impl Source for Definitions {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        match self.item(key) {
            Some(Item::Body(name, body)) => {
                self.compiler.compile(&self.name, &name, Function::clone(&body.function))
            }
            Some(Item::Graph(graph)) => Ok(LinkGraph::clone(&graph)),
            None => Err(Error::other("it was declared, but not defined")),
        }
    }

    fn body_hash(&self, key: u64) -> Option<u64> {
        Some(self.body(key)?.hash())
    }

    fn signature(&self, key: u64) -> Option<String> {
        Some(signature::text(&self.body(key)?.function.signature))
    }

    fn has_signature(&self, key: u64, wanted: &str) -> bool {
        let body = self.body(key);
        body.is_none_or(|body| signature::is_callable(&body.function.signature, wanted))
    }

    fn resolve(&self, undefined: &Undefined<'_>) -> Result<Resolution> {
        if !self.imports.lock().contains(undefined.name) {
            return Ok(Resolution::Process);
        }
        let name = undefined.name.to_string();
        let session = self.compiler.session()?;
        let shared = session.symbol_in(self.home, undefined.name);
        // It may have been declared as an import first, and as the module's own after that.
        let own = session.body(shared).or_else(|| session.data(shared));
        if own.is_none_or(|(scope, _)| scope != undefined.scope)
            && let Some(&address) = self.symbols.get(&name)
        {
            return Ok(Resolution::Address(address));
        }
        if !session.is_defined(shared)
            && let Some(address) = self.look_up(&name)
        {
            return Ok(Resolution::Address(address));
        }
        Ok(Resolution::Symbol(shared))
    }

    fn private(&self, key: u64) -> Private {
        let kind = kind(key);
        let unit = if kind == SymbolKind::Function { Unit::Lazy } else { Unit::Data };
        Private { key, kind, unit }
    }
}

impl Bodies for Definitions {
    fn body(&self, key: u64) -> Option<Body> {
        match self.item(key)? {
            Item::Body(_, body) => Some(body),
            Item::Graph(_) => None,
        }
    }
}
