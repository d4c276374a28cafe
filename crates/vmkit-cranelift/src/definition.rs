//! A function as a source: what is compiled at its first call, and what is inlined elsewhere.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use cranelift_codegen::ir::{Function, Signature};
use parking_lot::Mutex;
use vmkit::graph::{Dependency, LinkGraph};
use vmkit::{
    Error, KeptSource, Name, Private, Result, ScopeId, Session, Source, SymbolId, SymbolKind, Unit,
};

use crate::building::{self, Build, Built};
use crate::compile::Compiler;
use crate::inline::Bodies;
use crate::names;
use crate::polls;
use crate::signature;

/// The key of the one definition of a source.
pub(crate) const ONLY: u64 = 0;

/// One function.
pub(crate) struct Definition {
    compiler: Arc<Compiler>,
    name: Arc<str>,
    signature: Signature,
    home: ScopeId,
    scope: OnceLock<ScopeId>,
    /// What builds it, if it was not given as it is.
    build: Option<Build>,
    body: Mutex<Option<Body>>,
}

/// A function in CLIF.
#[derive(Clone)]
pub(crate) struct Body {
    built: Arc<Hashed>,
    /// The session's time when it was begun.
    began: u32,
    /// Was it compiled? Then, the next time, a closure may build another.
    is_used: bool,
}

struct Hashed {
    built: Built,
    hash: OnceLock<u64>,
}

impl Body {
    pub(crate) fn new(function: Function) -> Self {
        Self::built(Built { function, assumptions: Vec::new(), is_apart: false, poll: None }, 0)
    }

    fn built(built: Built, began: u32) -> Self {
        let built = Arc::new(Hashed { built, hash: OnceLock::new() });
        Self { built, began, is_used: false }
    }

    pub(crate) fn function(&self) -> &Function {
        &self.built.built.function
    }

    /// The function, moved if nobody else has it.
    pub(crate) fn into_function(self) -> Function {
        match Arc::try_unwrap(self.built) {
            Ok(only) => only.built.function,
            Err(shared) => shared.built.function.clone(),
        }
    }

    /// What it was built under.
    pub(crate) fn assumptions(&self) -> &[SymbolId] {
        &self.built.built.assumptions
    }

    /// Is it never to be inlined?
    pub(crate) fn is_apart(&self) -> bool {
        self.built.built.is_apart
    }

    /// What of it becomes part of other functions, if that is not all: they poll themselves where they
    /// begin.
    pub(crate) fn to_inline(&self) -> Option<Function> {
        let without = self.built.built.poll.map(|poll| polls::without(self.function(), poll));
        names::written_out(without.as_ref().unwrap_or_else(|| self.function())).or(without)
    }

    /// Says which body it is, wherever it is inlined.
    pub(crate) fn hash(&self) -> u64 {
        *self.built.hash.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.function().stencil.hash(&mut hasher);
            for name in self.function().params.user_named_funcs().values() {
                name.hash(&mut hasher);
            }
            hasher.finish()
        })
    }
}

/// Adds a source to a session, where it stays while it is kept or what it defines is wanted.
pub(crate) fn add(
    session: &Session,
    home: ScopeId,
    source: Arc<dyn Source>,
) -> Result<(ScopeId, KeptSource)> {
    let scope = session.add_source_in(home, source.clone());
    let kept = session.keep_source(scope, &source);
    kept.map(|kept| (scope, kept)).ok_or_else(|| Error::other("the session has let go of a source"))
}

impl Definition {
    /// A function that is there, or is to be built.
    pub(crate) fn add(
        compiler: &Arc<Compiler>,
        home: ScopeId,
        name: &str,
        signature: Signature,
        build: Option<Build>,
        function: Option<Function>,
    ) -> Result<(ScopeId, KeptSource)> {
        let definition = Arc::new(Self {
            compiler: compiler.clone(),
            name: name.into(),
            signature,
            home,
            scope: OnceLock::new(),
            build,
            body: Mutex::new(function.map(Body::new)),
        });
        let (scope, kept) = add(&compiler.session()?, home, definition.clone())?;
        definition.scope.set(scope).expect("set here only");
        compiler.inlining.add(scope, &definition);
        Ok((scope, kept))
    }

    /// The body to compile now.
    fn take(&self) -> Result<Body> {
        let mut kept = self.body.lock();
        if let Some(body) = &mut *kept
            && (self.build.is_none() || (!body.is_used && self.holds(body)))
        {
            body.is_used = true;
            return Ok(body.clone());
        }
        let body = Body { is_used: true, ..self.make()? };
        *kept = self.compiler.inlining.is_on().then(|| body.clone());
        Ok(body)
    }

    /// Does everything still hold that was assumed?
    fn holds(&self, body: &Body) -> bool {
        let Ok(session) = self.compiler.session() else { return false };
        !body.assumptions().iter().any(|&id| session.has_changed(id, body.began))
    }

    fn make(&self) -> Result<Body> {
        let began = self.compiler.session()?.time();
        let name = Name::from(&*self.name);
        let build = self.build.as_ref().ok_or_else(|| Error::other("nothing builds it"))?;
        let run = || building::run(&self.compiler, self.home, &name, &self.signature, build);
        // Somebody else may only want to inline it.
        let panicked = |_| Err(Error::compile(name.clone(), "what builds it panicked"));
        let built = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(panicked)?;
        Ok(Body::built(built, began))
    }
}

impl Bodies for Definition {
    fn body(&self, _: u64) -> Option<Body> {
        // A closure that builds calls of itself has no body to inline yet.
        let mut kept = self.body.try_lock()?;
        if !kept.as_ref().is_some_and(|body| self.build.is_none() || self.holds(body)) {
            *kept = self.make().ok();
        }
        kept.clone()
    }
}

impl Source for Definition {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        let body = self.take()?;
        let assumptions = body.assumptions().to_vec();
        let function = body.into_function();
        let mut graph = self.compiler.compile(&self.name, &Name::from(&*self.name), function)?;
        graph.dependencies.extend(assumptions.into_iter().map(Dependency::Assumption));
        Ok(graph)
    }

    fn tidy(&self, graph: LinkGraph) {
        self.compiler.spare.keep(graph);
    }

    fn body_hash(&self, key: u64) -> Option<u64> {
        Some(self.body(key)?.hash())
    }

    fn signature(&self, _: u64) -> Option<String> {
        Some(signature::text(&self.signature))
    }

    fn has_signature(&self, _: u64, wanted: &str) -> bool {
        signature::is_callable(&self.signature, wanted)
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

impl Drop for Definition {
    fn drop(&mut self) {
        if let Some(&scope) = self.scope.get() {
            self.compiler.inlining.remove(scope);
        }
    }
}
