//! From CLIF to a link graph.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::entity::EntityRef;
use cranelift_codegen::ir::{
    FuncRef, Function, GlobalValueData, Inst, InstructionData, LibCall, Opcode, UserExternalName,
};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::{CodegenError, CodegenResult, CompileError, Context, verify_function};
use cranelift_frontend::FunctionBuilderContext;
use parking_lot::Mutex;
use vmkit::graph::{Compile, LinkGraph};
use vmkit::{Error, Name, Result, Session, WeakSession};

use crate::cranelift::Options;
use crate::graph::graph;
use crate::inline::{Inlined, Inlining, inline};
use crate::isa::unverified;
use crate::lines::Positions;
use crate::machine::Machine;
use crate::names::{self, Meaning};
use crate::packed::Packer;
use crate::spare::Spare;
use crate::untimed::untimed;
use crate::unwind::Written;

/// What libraries' functions are called that Cranelift needs.
pub(crate) type LibCallNames = Box<dyn Fn(LibCall) -> String + Send + Sync>;

/// A function to compile.
pub(crate) struct Work<'a> {
    pub(crate) session: &'a Session,
    pub(crate) module: &'a Arc<str>,
    pub(crate) name: &'a Name,
    /// Says which symbol of the session a name is that the function uses.
    pub(crate) meaning: &'a dyn Fn(&UserExternalName) -> Result<Meaning>,
}

/// What is known of a function once it can be compiled.
pub(crate) struct Prepared {
    pub(crate) inlined: Inlined,
    /// Does it only call others, so that its code takes no address for granted?
    pub(crate) is_self_contained: bool,
}

/// Compiles for one session.
pub(crate) struct Compiler {
    pub(crate) isa: OwnedTargetIsa,
    /// The same, where functions are not verified.
    unverified: OwnedTargetIsa,
    pub(crate) machine: &'static Machine,
    pub(crate) libcall_names: LibCallNames,
    pub(crate) inlining: Inlining,
    /// Do functions that are built poll?
    pub(crate) polls: bool,
    /// Who knows the places of source locations.
    pub(crate) positions: OnceLock<Positions>,
    pub(crate) unwind: Written,
    pub(crate) packer: Packer,
    pub(crate) spare: Spare,
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
        options: Options,
    ) -> Result<Self> {
        let machine = Machine::of(&*isa);
        let unknown = || Error::other(format!("code for {} cannot be linked", isa.triple()));
        let machine = machine.ok_or_else(unknown)?;
        let unverified = if isa.flags().enable_verifier() { unverified(&*isa) } else { None };
        Ok(Self {
            unverified: unverified.unwrap_or_else(|| isa.clone()),
            isa,
            machine,
            libcall_names,
            inlining: Inlining::new(options.inlining),
            polls: options.polls,
            positions: OnceLock::new(),
            unwind: Written::default(),
            packer: Packer::default(),
            spare: Spare::default(),
            session: session.downgrade(),
            contexts: Mutex::default(),
            builders: Mutex::default(),
        })
    }

    pub(crate) fn session(&self) -> Result<Session> {
        self.session.upgrade().ok_or_else(|| Error::other("the session has ended"))
    }

    /// Verifies a function that somebody has built, if that is wanted: once, where Cranelift would do so after
    /// each of its passes, which take no longer.
    pub(crate) fn verify(&self, function: &Function) -> CodegenResult<()> {
        if self.isa.flags().enable_verifier() {
            verify_function(function, &*self.isa)?;
        }
        Ok(())
    }

    /// Compiles a function, whose names are the session's.
    pub(crate) fn compile(
        &self,
        module: &Arc<str>,
        name: &Name,
        function: Function,
    ) -> Result<LinkGraph> {
        let session = self.session()?;
        let mut context = self.contexts.lock().pop().unwrap_or_else(Context::new);
        context.clear();
        context.func = function;
        let meaning = |name: &UserExternalName| names::meaning(&session, name);
        let work = Work { session: &session, module, name, meaning: &meaning };
        let result = untimed(|| self.compile_in(&work, &mut context));
        self.contexts.lock().push(context);
        result
    }

    fn compile_in(&self, work: &Work<'_>, context: &mut Context) -> Result<LinkGraph> {
        let began = began(work.session);
        let Prepared { inlined, .. } = self.prepare(work, context)?;
        let run = self.run(context, &mut ControlPlane::default());
        run.map_err(|error| failed(work.name, &error))?;
        self.finish(work, context, inlined, began)
    }

    /// Makes the function of a context such that its code can be linked.
    pub(crate) fn prepare(&self, work: &Work<'_>, context: &mut Context) -> Result<Prepared> {
        let inlined = inline(&self.inlining, work, context)?;
        let is_self_contained = make_reachable(&mut context.func);
        Ok(Prepared { inlined, is_self_contained })
    }

    /// Compiles the function of a context, which was [verified](Compiler::verify) where it came from.
    pub(crate) fn run(
        &self,
        context: &mut Context,
        control: &mut ControlPlane,
    ) -> CodegenResult<()> {
        let compiled = context.compile(&*self.unverified, control);
        compiled.map(drop).map_err(|CompileError { inner, .. }| inner)
    }

    /// The graph of a function that was [prepared](Compiler::prepare) and compiled.
    pub(crate) fn finish(
        &self,
        work: &Work<'_>,
        context: &Context,
        inlined: Inlined,
        began: Option<Instant>,
    ) -> Result<LinkGraph> {
        let mut graph = graph(self, work, context)?;
        inlined.note(work.session, &mut graph);
        let compile = |began| Compile { began, ended: Instant::now(), phases: <[_; 4]>::default() };
        graph.compile = began.map(compile).map(Box::new);
        Ok(graph)
    }
}

/// Now, if anybody wants to know when a compile began.
pub(crate) fn began(session: &Session) -> Option<Instant> {
    session.has_listeners().then(Instant::now)
}

/// What a compile that failed says.
pub(crate) fn failed(name: &Name, error: &CodegenError) -> Error {
    let what = match error {
        CodegenError::Verifier(errors) => format!("invalid CLIF: {errors}"),
        error => error.to_string(),
    };
    Error::compile(name.clone(), what)
}

/// Does the function only call others, so that its code takes no address for granted?
pub(crate) fn is_self_contained(function: &Function) -> bool {
    let is_symbol = |data: &GlobalValueData| matches!(data, GlobalValueData::Symbol { .. });
    !function.global_values.values().any(is_symbol) && takers(function).next().is_none()
}

/// Instructions that take addresses of functions, and perhaps some that are not in the function any more.
fn takers(function: &Function) -> impl Iterator<Item = Inst> {
    let insts = (0..function.dfg.num_insts()).map(Inst::new);
    insts.filter(|&inst| taken(&function.dfg.insts[inst]).is_some())
}

/// The function whose address an instruction takes.
fn taken(data: &InstructionData) -> Option<FuncRef> {
    match *data {
        InstructionData::FuncAddr { func_ref, .. } => Some(func_ref),
        _ => None,
    }
}

/// Has calls go over stubs, which are near, and addresses over slots or whole, since what they are of
/// need not be. Tells whether the function [is self-contained](is_self_contained).
fn make_reachable(function: &mut Function) -> bool {
    for data in function.dfg.ext_funcs.values_mut() {
        data.colocated = true;
    }
    let mut names_symbols = false;
    for data in function.global_values.values_mut() {
        if let GlobalValueData::Symbol { colocated, .. } = data {
            *colocated = false;
            names_symbols = true;
        }
    }
    let takers: Vec<_> = takers(function).collect();
    let is_self_contained = !names_symbols && takers.is_empty();
    for inst in takers {
        let Some(called) = taken(&function.dfg.insts[inst]) else { continue };
        let mut data = function.dfg.ext_funcs[called].clone();
        data.colocated = false;
        let far = function.dfg.ext_funcs.push(data);
        function.dfg.insts[inst] =
            InstructionData::FuncAddr { opcode: Opcode::FuncAddr, func_ref: far };
    }
    is_self_contained
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, UserFuncName, types};
    use cranelift_codegen::isa::{CallConv, lookup_by_name};
    use cranelift_codegen::settings::{self, Configurable};
    use cranelift_frontend::FunctionBuilder;
    use cranelift_module::default_libcall_names;
    use vmkit::graph::Layout;

    use super::*;

    /// A function that calls `callee` and gives the sum of the result and of a datum.
    fn function(session: &Session, isa: &OwnedTargetIsa) -> Function {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.push(AbiParam::new(types::I64));
        signature.returns.push(AbiParam::new(types::I64));
        let mut function =
            Function::with_name_signature(UserFuncName::default(), signature.clone());
        let callee = names::import_function(&mut function, session.symbol("callee"), signature);
        let datum = names::import_data(&mut function, session.symbol("datum"), false);
        let mut context = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut context);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let argument = builder.block_params(block)[0];
        let call = builder.ins().call(callee, &[argument]);
        let result = builder.inst_results(call)[0];
        let address = builder.ins().symbol_value(types::I64, datum);
        let sum = builder.ins().iadd(result, address);
        builder.ins().return_(&[sum]);
        builder.seal_all_blocks();
        builder.finalize(isa.frontend_config());
        function
    }

    #[test]
    fn code_for_aarch64_is_linked_by_its_rules() {
        let session = Session::builder().build().unwrap();
        let mut flags = settings::builder();
        flags.set("is_pic", "true").unwrap();
        let isa = lookup_by_name("aarch64-unknown-linux-gnu").unwrap();
        let isa = isa.finish(settings::Flags::new(flags)).unwrap();
        let function = function(&session, &isa);
        let compiler =
            Compiler::new(&session, isa, default_libcall_names(), Options::default()).unwrap();
        let graph = compiler.compile(&"module".into(), &"f".into(), function).unwrap();
        assert_eq!(graph.isa.name, "aarch64");
        let (code, callee, datum, slots) = (0x10_0000, 0x20_0000, 0x1234_5678, 0x30_0010);
        let at = |number| code + 0x1000 * number as u64;
        let layout = Layout {
            sections: (0..graph.sections.len()).map(|number| Some(at(number))).collect(),
            symbols: [("callee", callee), ("datum", datum), ("vmkit_cranelift_personality", 0)]
                .map(|(name, address)| (Name::from(name), address))
                .into(),
            slots,
            thunks: 0x40_0000,
            thread_block: 0,
            relaxes: false,
        };
        let image = graph.image(&layout).unwrap();
        let words: Vec<u32> = image.sections[0]
            .as_ref()
            .unwrap()
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        let find = |mask, bits| {
            let place = words.iter().position(|word| word & mask == bits).unwrap();
            (code + 4 * place as u64, words[place])
        };
        // Arm Architecture Reference Manual, C6.2: `bl` counts words from itself.
        let (place, call) = find(0xfc00_0000, 0x9400_0000);
        let distance = i64::from((call << 6).cast_signed() >> 6) * 4;
        assert_eq!(place.wrapping_add_signed(distance), callee);
        // `adrp` counts pages, and `ldr` has the slot's place in its page.
        let (place, page) = find(0x9f00_0000, 0x9000_0000);
        let pages = i64::from(page << 8) >> 13 << 2 | i64::from(page >> 29 & 3);
        let (_, load) = find(0xffc0_0000, 0xf940_0000);
        let low = u64::from(load >> 10 & 0xfff) * 8;
        let slot = (place & !0xfff).wrapping_add_signed(pages << 12) + low;
        assert_eq!((slot, image.slots.as_slice()), (slots, &[datum][..]));
    }
}
