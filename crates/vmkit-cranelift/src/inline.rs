//! Functions become part of those that call them, by Cranelift's own inliner.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use cranelift_codegen::Context;
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::ir::{ExternalName, FuncRef, Function, Inst, Opcode, Value};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use vmkit::graph::{Dependency, LinkGraph};
use vmkit::{Result, ScopeId, Session, SymbolId, SymbolKind};

use crate::compile::{Work, failed};
use crate::definition::Body;
use crate::graph::of_session;
use crate::names::Meaning;

/// So many instructions a function may have that is inlined.
const LARGEST: usize = 40;
/// So many instructions a function may gain.
const MOST: usize = 400;
/// So often one body goes into a function: recursion ends there.
const OFTENEST: usize = 4;

/// Gives bodies to inline, by the keys of definitions.
pub(crate) trait Bodies: Send + Sync {
    fn body(&self, key: u64) -> Option<Body>;
}

/// Who has bodies to inline.
pub(crate) struct Inlining {
    is_on: bool,
    /// How many bodies became part of functions.
    count: AtomicU64,
    by_scope: Mutex<FxHashMap<ScopeId, Weak<dyn Bodies>>>,
}

impl Inlining {
    pub(crate) fn new(is_on: bool) -> Self {
        Self { is_on, count: AtomicU64::new(0), by_scope: Mutex::default() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// How many bodies became part of functions, each counted once in a function.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn add<B: Bodies + 'static>(&self, scope: ScopeId, bodies: &Arc<B>) {
        if self.is_on {
            let bodies: Weak<dyn Bodies> = Arc::downgrade(bodies) as _;
            self.by_scope.lock().insert(scope, bodies);
        }
    }

    pub(crate) fn remove(&self, scope: ScopeId) {
        if self.is_on {
            self.by_scope.lock().remove(&scope);
        }
    }

    fn body(&self, scope: ScopeId, key: u64) -> Option<Body> {
        let bodies = self.by_scope.lock().get(&scope)?.upgrade()?;
        bodies.body(key)
    }
}

/// Decides call by call, and notes what it decided.
struct Inliner<'a> {
    inlining: &'a Inlining,
    work: &'a Work<'a>,
    inlined: FxHashMap<SymbolId, Candidate>,
    gained: usize,
}

/// A body that can go into the function.
struct Candidate {
    body: Body,
    /// What of it does, if that is not all.
    changed: Option<Function>,
    /// How often it did.
    times: usize,
}

impl Candidate {
    fn function(&self) -> &Function {
        self.changed.as_ref().unwrap_or_else(|| self.body.function())
    }
}

/// The bodies that went into a function.
#[derive(Default)]
pub(crate) struct Inlined(Vec<(SymbolId, Body)>);

/// Inlines into the function of a context.
pub(crate) fn inline(
    inlining: &Inlining,
    work: &Work<'_>,
    context: &mut Context,
) -> Result<Inlined> {
    if !inlining.is_on || context.func.dfg.ext_funcs.is_empty() {
        return Ok(Inlined::default());
    }
    let mut inliner = Inliner { inlining, work, inlined: FxHashMap::default(), gained: 0 };
    context.inline(&mut inliner).map_err(|error| failed(work.name, &error))?;
    let inlined = inliner.inlined.into_iter().filter(|(_, candidate)| candidate.times > 0);
    let inlined: Vec<_> = inlined.map(|(id, candidate)| (id, candidate.body)).collect();
    inlining.count.fetch_add(inlined.len() as u64, Ordering::Relaxed);
    Ok(Inlined(inlined))
}

impl Inlined {
    /// Notes in a graph what its code took for granted.
    pub(crate) fn note(self, session: &Session, graph: &mut LinkGraph) {
        for (id, body) in self.0 {
            let symbol = graph.symbols.len();
            graph.symbols.push(of_session(session, Meaning::strong(id), SymbolKind::Function));
            graph.dependencies.push(Dependency::Body { symbol, hash: body.hash() });
            let assumptions = body.assumptions().iter().copied().map(Dependency::Assumption);
            graph.dependencies.extend(assumptions);
        }
    }
}

impl Inliner<'_> {
    /// The body of a function that is to be inlined once more.
    fn choose(&mut self, user: &Function, callee: FuncRef) -> Option<SymbolId> {
        let data = &user.dfg.ext_funcs[callee];
        let ExternalName::User(name) = data.name else { return None };
        let id = (self.work.meaning)(&user.params.user_named_funcs()[name]).ok()?.id;
        let signature = &user.dfg.signatures[data.signature];
        if !self.inlined.contains_key(&id) {
            let (scope, key) = self.work.session.body(id)?;
            let body = self.inlining.body(scope, key)?;
            if body.is_apart() || !is_fit(body.function()) {
                return None;
            }
            let changed = body.to_inline();
            self.inlined.insert(id, Candidate { body, changed, times: 0 });
        }
        let candidate = self.inlined.get_mut(&id)?;
        let size = candidate.function().dfg.num_insts();
        let is_fit = candidate.function().signature == *signature
            && candidate.times < OFTENEST
            && self.gained + size <= MOST;
        if is_fit {
            candidate.times += 1;
            self.gained += size;
        }
        is_fit.then_some(id)
    }
}

impl Inline for Inliner<'_> {
    fn inline(
        &mut self,
        user: &Function,
        _: Inst,
        _: Opcode,
        callee: FuncRef,
        _: &[Value],
    ) -> InlineCommand<'_> {
        let Some(id) = self.choose(user, callee) else { return InlineCommand::KeepCall };
        let callee = Cow::Borrowed(self.inlined[&id].function());
        InlineCommand::Inline { callee, visit_callee: true }
    }
}

/// Is the function small enough, and does nothing in it ask for a frame of its own?
fn is_fit(function: &Function) -> bool {
    let has_frame = |opcode| {
        matches!(
            opcode,
            Opcode::GetFramePointer
                | Opcode::GetStackPointer
                | Opcode::GetReturnAddress
                | Opcode::GetExceptionHandlerAddress
        )
    };
    let dfg = &function.dfg;
    let mut insts = function.layout.blocks().flat_map(|block| function.layout.block_insts(block));
    dfg.num_insts() <= LARGEST
        && function.stack_limit.is_none()
        && function.dynamic_stack_slots.is_empty()
        && !insts.any(|inst| has_frame(dfg.insts[inst].opcode()))
}
