//! A module's definitions as the session asks for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cranelift_codegen::ir::Signature;
use parking_lot::{Mutex, RwLock};
use rustc_hash::{FxHashMap, FxHashSet};
use vmkit::graph::LinkGraph;
use vmkit::{
    Addr, Error, Name, Private, Resolution, Result, ScopeId, Source, SymbolKind, Undefined, Unit,
};

use super::items::{Item, Items, Waiting};
use crate::compile::{Compiler, is_self_contained};
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

/// A module's definitions.
pub(super) struct Definitions {
    compiler: Arc<Compiler>,
    pub(super) name: Arc<str>,
    home: ScopeId,
    functions: RwLock<Items>,
    data: RwLock<Items>,
    /// The key of what is defined just now; [`NONE`] if the session knows of all there is.
    given: AtomicU64,
    /// Types of functions, and the one item of all that are [linked once](Item::Once) for each.
    types: Mutex<FxHashMap<Arc<Signature>, Arc<Item>>>,
    symbols: HashMap<String, Addr>,
    lookups: Mutex<Vec<Lookup>>,
    /// Names that stand for what others define.
    imports: Mutex<FxHashSet<Name>>,
}

/// The key of nothing.
const NONE: u64 = u64::MAX;

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
            functions: RwLock::default(),
            data: RwLock::default(),
            given: AtomicU64::new(NONE),
            types: Mutex::default(),
            symbols,
            lookups: Mutex::new(lookups),
            imports: Mutex::default(),
        }
    }

    /// Notes that a name stands for what others define.
    pub(super) fn import(&self, name: Name) {
        self.imports.lock().insert(name);
    }

    fn items(&self, key: u64) -> (&RwLock<Items>, usize) {
        let items = if kind(key) == SymbolKind::Function { &self.functions } else { &self.data };
        (items, (key >> 2) as usize)
    }

    fn item(&self, key: u64) -> Option<Arc<Item>> {
        let (items, index) = self.items(key);
        items.read().get(index)
    }

    pub(super) fn holds(&self, key: u64) -> bool {
        let (items, index) = self.items(key);
        items.read().all.get(index).is_some_and(Option::is_some)
    }

    /// Says what a key stands for, and the graph of it if that is there already, and has `tell` tell the
    /// session. Who compiles what the key stood for before may be given the new already, and wants it
    /// again once the session knows: so it stays until then.
    pub(super) fn give<T>(
        &self,
        key: u64,
        item: Arc<Item>,
        first: Option<LinkGraph>,
        tell: impl FnOnce() -> T,
    ) -> T {
        let (items, index) = self.items(key);
        let mut items = items.write();
        self.given.store(key, Ordering::Relaxed);
        let before = items.first.remove(key);
        if let Some(graph) = first {
            items.first.insert(key, graph);
        }
        let old = items.replace(index, Some(item));
        drop(items);
        drop((before, old));
        let told = tell();
        self.given.store(NONE, Ordering::Release);
        told
    }

    /// Forgets a graph that nobody will ask for.
    pub(super) fn forget_first(&self, key: u64) {
        let (items, _) = self.items(key);
        let first = items.write().first.remove(key);
        drop(first);
    }

    /// Gives back memory that is not needed as long as nobody defines anything.
    pub(super) fn rest(&self) {
        self.functions.write().first.new.shrink_to_fit();
        self.compiler.spare.clear();
    }

    pub(super) fn remove(&self, key: u64) {
        self.forget_first(key);
        self.replace(key, None);
    }

    fn replace(&self, key: u64, item: Option<Arc<Item>>) {
        let (items, index) = self.items(key);
        let old = items.write().replace(index, item);
        drop(old);
    }

    /// The one signature that equals this one.
    pub(super) fn signature_of(&self, signature: &Signature) -> Arc<Signature> {
        self.of_type(signature, |signature, _| signature.clone())
    }

    /// The item of code of a type that is linked once.
    pub(super) fn once(&self, signature: &Signature) -> Arc<Item> {
        self.of_type(signature, |_, once| once.clone())
    }

    fn of_type<T>(
        &self,
        signature: &Signature,
        give: impl FnOnce(&Arc<Signature>, &Arc<Item>) -> T,
    ) -> T {
        let mut types = self.types.lock();
        if let Some((signature, once)) = types.get_key_value(signature) {
            return give(signature, once);
        }
        let signature = Arc::new(signature.clone());
        let once = Arc::new(Item::Once(signature.clone()));
        let given = give(&signature, &once);
        types.insert(signature, once);
        given
    }

    /// Bytes of what is data.
    pub(super) fn size(&self, key: u64) -> usize {
        match self.item(key).as_deref() {
            Some(Item::Graph(graph, _)) => graph.symbols[0].size as usize,
            _ => 0,
        }
    }

    /// The code of a function. Its item is let go if this is the `last` time, unless code of it takes
    /// something for granted.
    fn compile(&self, key: u64, waiting: &Waiting, last: Option<&Arc<Item>>) -> Result<LinkGraph> {
        let function = self.compiler.packer.unpack(&waiting.function)?;
        if let Some(item) = last
            && is_self_contained(&function)
        {
            self.let_go(key, item, self.once(&waiting.signature));
        }
        self.compiler.compile(&self.name, &waiting.name, function)
    }

    /// Puts one item in the place of another, unless a third is there by now.
    fn let_go(&self, key: u64, item: &Arc<Item>, once: Arc<Item>) {
        let (items, index) = self.items(key);
        let mut items = items.write();
        if items.get(index).is_some_and(|now| Arc::ptr_eq(&now, item)) {
            let old = items.replace(index, Some(once));
            drop(items);
            drop(old);
        }
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
        let (items, index) = self.items(key);
        let mut items = items.write();
        let is_given = self.given.load(Ordering::Acquire) == key;
        let first = if is_given { items.first.get(key).cloned() } else { items.first.remove(key) };
        if let Some(graph) = first {
            return Ok(graph);
        }
        let item = items.get(index);
        drop(items);
        let Some(item) = item else {
            return Err(Error::other("it was declared, but not defined"));
        };
        match &*item {
            Item::Packed(waiting) => self.compile(key, waiting, (!is_given).then_some(&item)),
            Item::Body(name, body) => {
                self.compiler.compile(&self.name, name, body.function().clone())
            }
            Item::Graph(graph, _) => Ok(LinkGraph::clone(graph)),
            Item::Once(_) => Err(Error::other("its code is linked already, and not kept")),
            Item::Failed(error, _) => Err(error.clone()),
        }
    }

    fn tidy(&self, graph: LinkGraph) {
        self.compiler.spare.keep(graph);
    }

    fn put_back(&self, key: u64, graph: LinkGraph) {
        let (items, index) = self.items(key);
        let mut items = items.write();
        // What was defined meanwhile has its own code or CLIF.
        let is_let_go = items.get(index).is_some_and(|item| matches!(*item, Item::Once(_)));
        if is_let_go && items.first.get(key).is_none() {
            items.first.insert(key, graph);
        }
    }

    fn body_hash(&self, key: u64) -> Option<u64> {
        Some(self.body(key)?.hash())
    }

    fn signature(&self, key: u64) -> Option<String> {
        self.item(key)?.with_signature(signature::text)
    }

    fn has_signature(&self, key: u64, wanted: &str) -> bool {
        let is_callable = |known: &Signature| signature::is_callable(known, wanted);
        let known = self.item(key).and_then(|item| item.with_signature(is_callable));
        known.unwrap_or(true)
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
        match &*self.item(key)? {
            Item::Body(_, body) => Some(body.clone()),
            Item::Packed(_) | Item::Graph(..) | Item::Once(_) | Item::Failed(..) => None,
        }
    }
}
