//! From CLIF to a link graph.

use std::sync::Arc;
use std::time::Instant;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, GlobalValueData, InstructionData, LibCall, Opcode};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::{CodegenError, CompileError, Context};
use cranelift_frontend::FunctionBuilderContext;
use parking_lot::Mutex;
use vmkit::graph::{Compile, LinkGraph};
use vmkit::{Error, Name, Result, Session, WeakSession};

use crate::graph::graph;
use crate::inline::{Inlining, inline};
use crate::machine::Machine;

/// What libraries' functions are called that Cranelift needs.
pub(crate) type LibCallNames = Box<dyn Fn(LibCall) -> String + Send + Sync>;

/// Compiles for one session.
pub(crate) struct Compiler {
    pub(crate) isa: OwnedTargetIsa,
    pub(crate) machine: &'static Machine,
    pub(crate) libcall_names: LibCallNames,
    pub(crate) inlining: Inlining,
    session: WeakSession,
    /// Those that nobody uses now, with the memory they have.
    contexts: Mutex<Vec<Context>>,
    pub(crate) builders: Mutex<Vec<FunctionBuilderContext>>,
}

impl Compiler {
    pub(crate) fn new(
        session: &Session,
        isa: OwnedTargetIsa,
        libcall_names: LibCallNames,
        inlining: bool,
    ) -> Result<Self> {
        let machine = Machine::of(&*isa);
        let unknown = || Error::other(format!("code for {} cannot be linked", isa.triple()));
        let machine = machine.ok_or_else(unknown)?;
        Ok(Self {
            isa,
            machine,
            libcall_names,
            inlining: Inlining::new(inlining),
            session: session.downgrade(),
            contexts: Mutex::default(),
            builders: Mutex::default(),
        })
    }

    pub(crate) fn session(&self) -> Result<Session> {
        self.session.upgrade().ok_or_else(|| Error::other("the session has ended"))
    }

    /// Compiles a function.
    pub(crate) fn compile(
        &self,
        module: &Arc<str>,
        name: &Name,
        function: Function,
    ) -> Result<LinkGraph> {
        let began = Instant::now();
        let mut context = self.contexts.lock().pop().unwrap_or_else(Context::new);
        context.clear();
        context.func = function;
        let result = self.compile_in(module, name, &mut context);
        self.contexts.lock().push(context);
        let mut graph = result?;
        let compile = Compile { began, ended: Instant::now(), phases: Default::default() };
        graph.compile = Some(compile);
        Ok(graph)
    }

    /// Compiles the function of a context, where its code stays.
    pub(crate) fn compile_in(
        &self,
        module: &Arc<str>,
        name: &Name,
        context: &mut Context,
    ) -> Result<LinkGraph> {
        let session = self.session()?;
        let inlined = inline(&self.inlining, &session, name, context)?;
        make_reachable(&mut context.func);
        context
            .compile(&*self.isa, &mut ControlPlane::default())
            .map_err(|CompileError { inner, .. }| failed(name, &inner))?;
        let mut graph = graph(self, &session, module, name, context)?;
        inlined.note(&session, &mut graph);
        Ok(graph)
    }
}

/// What a compile that failed says.
pub(crate) fn failed(name: &Name, error: &CodegenError) -> Error {
    let what = match error {
        CodegenError::Verifier(errors) => format!("invalid CLIF: {errors}"),
        error => error.to_string(),
    };
    Error::compile(name.clone(), what)
}

/// Has calls go over stubs, which are near, and addresses over slots or whole, since what they are of
/// need not be.
fn make_reachable(function: &mut Function) {
    for data in function.dfg.ext_funcs.values_mut() {
        data.colocated = true;
    }
    for data in function.global_values.values_mut() {
        if let GlobalValueData::Symbol { colocated, .. } = data {
            *colocated = false;
        }
    }
    let taken = |data: &InstructionData| match *data {
        InstructionData::FuncAddr { func_ref, .. } => Some(func_ref),
        _ => None,
    };
    let mut cursor = function.layout.blocks().flat_map(|block| function.layout.block_insts(block));
    let takes: Vec<_> =
        cursor.by_ref().filter(|&inst| taken(&function.dfg.insts[inst]).is_some()).collect();
    for inst in takes {
        let Some(called) = taken(&function.dfg.insts[inst]) else { continue };
        let mut data = function.dfg.ext_funcs[called].clone();
        data.colocated = false;
        let far = function.dfg.ext_funcs.push(data);
        function.dfg.insts[inst] =
            InstructionData::FuncAddr { opcode: Opcode::FuncAddr, func_ref: far };
    }
}
