//! Time and memory of modules beside those of `cranelift-jit`, one a line: what, whose and of how many, and
//! nanoseconds or bytes. `cargo xtask bench --only cranelift` makes a table of them.
//!
//! Of each time there are two lines: how long it took, and what all threads of the process worked for that.
//! What is asked for is the first argument, and measured in a process of its own.
#![expect(unsafe_code, reason = "calls compiled code")]

use std::ops::{AddAssign, Sub};
use std::process::Command;
use std::time::{Duration, Instant};

use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, BlockArg, InstBuilder, Signature, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder as PeerBuilder, JITModule as Peer};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use vmkit_cranelift::{JitBuilder, JitModule};

type Unary = unsafe extern "C" fn(i64) -> i64;

const CALLS: u32 = 50_000_000;
const REDEFINITIONS: u32 = 2_000;
/// How often each is measured, by turns: the machine is slower for seconds at a time.
const TURNS: u32 = 3;
/// Settings of who trusts what it builds, and wants no unwind records, of which only ours makes something.
const BARE: [(&str, &str); 2] = [("enable_verifier", "false"), ("unwind_info", "false")];

/// What something cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// From its begin to its end.
    time: Duration,
    /// What all threads worked meanwhile.
    work: Duration,
}

impl Cost {
    const MOST: Self = Self { time: Duration::MAX, work: Duration::MAX };

    /// The least of each.
    fn min(self, other: Self) -> Self {
        Self { time: self.time.min(other.time), work: self.work.min(other.work) }
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let (time, work) = (self.time, self.work);
        Self { time: time.saturating_sub(other.time), work: work.saturating_sub(other.work) }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.work += other.work;
    }
}

/// When something began.
struct Clock(Instant, Duration);

impl Clock {
    fn now() -> Self {
        Self(Instant::now(), worked())
    }

    fn elapsed(&self) -> Cost {
        Cost { time: self.0.elapsed(), work: worked() - self.1 }
    }
}

/// Processor time of all threads so far.
fn worked() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it is written to, and the clock is every process's.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) };
    Duration::new(now.tv_sec.cast_unsigned(), now.tv_nsec as u32)
}

/// Whose module it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// That of `cranelift-jit`.
    Peer,
    /// Ours, which compiles what is called.
    Lazy,
    /// Ours, which compiles what is defined.
    Eager,
    /// Ours, whose compile threads compile what is defined.
    Ahead,
}

const ALL: [(Whose, &str); 4] = [
    (Whose::Peer, "cranelift-jit"),
    (Whose::Lazy, "lazy"),
    (Whose::Eager, "eager"),
    (Whose::Ahead, "ahead"),
];

/// Those that compile what is defined.
const COMPILED: [(Whose, &str); 3] = [ALL[0], ALL[2], ALL[3]];

/// A module of either.
enum Jit {
    Peer(Box<Peer>),
    Ours(Box<JitModule>),
}

impl Jit {
    /// One with the settings that who says nothing gets.
    fn new(whose: Whose) -> Self {
        Self::with(whose, &[])
    }

    /// One whose functions are not verified, and get no unwind records.
    fn bare(whose: Whose) -> Self {
        Self::with(whose, &BARE)
    }

    fn with(whose: Whose, flags: &[(&str, &str)]) -> Self {
        if whose == Whose::Peer {
            let builder = PeerBuilder::with_flags(flags, default_libcall_names());
            return Self::Peer(Box::new(Peer::new(builder.expect("a builder"))));
        }
        let builder = JitBuilder::with_flags(flags, default_libcall_names());
        let mut builder = builder.expect("a builder");
        match whose {
            Whose::Eager => builder.eager(true),
            Whose::Ahead => builder.ahead(true),
            Whose::Peer | Whose::Lazy => &mut builder,
        };
        Self::Ours(Box::new(JitModule::new(builder)))
    }

    fn module(&mut self) -> &mut dyn Module {
        match self {
            Self::Peer(module) => &mut **module,
            Self::Ours(module) => &mut **module,
        }
    }

    fn finalize(&mut self) {
        match self {
            Self::Peer(module) => module.finalize_definitions(),
            Self::Ours(module) => module.finalize_definitions(),
        }
        .expect("whole definitions");
    }

    fn function(&self, id: FuncId) -> Unary {
        unary_at(match self {
            Self::Peer(module) => module.get_finalized_function(id),
            Self::Ours(module) => module.get_finalized_function(id),
        })
    }

    /// Its code itself.
    fn code(&self, id: FuncId) -> Unary {
        unary_at(match self {
            Self::Peer(module) => module.get_finalized_function(id),
            Self::Ours(module) => module.code_address(id).expect("code").0 as *const u8,
        })
    }
}

fn unary_at(pointer: *const u8) -> Unary {
    // SAFETY: all functions here take a number and give one.
    unsafe { std::mem::transmute::<*const u8, Unary>(pointer) }
}

fn unary() -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.push(AbiParam::new(types::I64));
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

/// A function of a loop and a call: adds up what `callee` gives for the parameter, `number` times.
fn body(module: &mut dyn Module, context: &mut Context, callee: FuncId, number: i64) {
    module.clear_context(context);
    context.func.signature = unary();
    let mut reused = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    let callee = module.declare_func_in_func(callee, builder.func);
    let [entry, head, end] = [(); 3].map(|()| builder.create_block());
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let param = builder.block_params(entry)[0];
    let zero = builder.ins().iconst(types::I64, 0);
    builder.ins().jump(head, &[BlockArg::Value(zero), BlockArg::Value(zero)]);
    let [count, sum] = [(); 2].map(|()| builder.append_block_param(head, types::I64));
    builder.switch_to_block(head);
    let call = builder.ins().call(callee, &[param]);
    let result = builder.inst_results(call)[0];
    let sum = builder.ins().iadd(sum, result);
    let count = builder.ins().iadd_imm_s(count, 1);
    let is_more = builder.ins().icmp_imm_s(IntCC::SignedLessThan, count, number);
    let again = [BlockArg::Value(count), BlockArg::Value(sum)];
    builder.ins().brif(is_more, head, &again, end, &[]);
    builder.switch_to_block(end);
    builder.ins().return_(&[sum]);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
}

/// A function that gives its parameter and a number.
fn leaf(module: &mut dyn Module, context: &mut Context, number: i64) {
    module.clear_context(context);
    context.func.signature = unary();
    let mut reused = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let param = builder.block_params(entry)[0];
    let sum = builder.ins().iadd_imm_s(param, number);
    builder.ins().return_(&[sum]);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
}

/// Declares `count` functions, each of which calls the one before it once, builds their CLIF, and does
/// something with it.
fn each(
    jit: &mut Jit,
    count: u32,
    mut finish: impl FnMut(&mut dyn Module, FuncId, &mut Context),
) -> Vec<FuncId> {
    let (mut context, mut ids) = (Context::new(), Vec::<FuncId>::new());
    for number in 0..count {
        let module = jit.module();
        let name = format!("f{number}");
        let id = module.declare_function(&name, Linkage::Export, &unary()).expect("a new name");
        match ids.last() {
            Some(&callee) => body(module, &mut context, callee, 1),
            None => leaf(module, &mut context, 0),
        }
        finish(module, id, &mut context);
        ids.push(id);
    }
    ids
}

/// Defines so many functions, and finalizes.
fn define(jit: &mut Jit, count: u32) -> Vec<FuncId> {
    let ids = each(jit, count, |module, id, context| {
        module.define_function(id, context).expect("a whole function");
    });
    jit.finalize();
    ids
}

/// What it costs to declare so many functions and to build their CLIF.
fn building(whose: Whose, count: u32) -> Cost {
    let mut jit = Jit::new(whose);
    let start = Clock::now();
    each(&mut jit, count, |_, _, context| _ = std::hint::black_box(context));
    start.elapsed()
}

fn print(what: &str, of: &str, figure: f64) {
    println!("{what}\t{of}\t{figure}");
}

/// What one of `number` cost.
fn print_cost(what: &str, of: &str, cost: Cost, number: u32) {
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(number);
    print(what, of, each(cost.time));
    print(&format!("{what}: work"), of, each(cost.work));
}

/// The least of a few runs, each with a module of its own.
fn best(runs: u32, mut run: impl FnMut() -> Cost) -> Cost {
    (0..runs).fold(Cost::MOST, |least, _| least.min(run()))
}

fn definition(what: &str, jit: fn(Whose) -> Jit, whose: Whose, of: &str, count: u32) {
    let runs = (20_000 / count).clamp(1, 200);
    let whole = best(runs, || {
        let mut jit = jit(whose);
        let start = Clock::now();
        define(&mut jit, count);
        start.elapsed()
    });
    let cost = whole - best(runs, || building(whose, count));
    print_cost(what, of, cost, count);
}

/// As defined, and every function called.
fn defined_and_called(whose: Whose, of: &str, count: u32) {
    let runs = (20_000 / count).clamp(1, 200);
    let whole = best(runs, || {
        let mut jit = Jit::new(whose);
        let start = Clock::now();
        let ids = define(&mut jit, count);
        let last = jit.function(*ids.last().expect("a function"));
        // SAFETY: it is one of these functions; they call one another, and use a little stack.
        assert_eq!(unsafe { last(7) }, 7);
        start.elapsed()
    });
    let cost = whole - best(runs, || building(whose, count));
    print_cost("define, finalize, call", of, cost, count);
}

/// Every hundredth function is called, from the start of the module on.
fn start(whose: Whose, of: &str, count: u32) {
    let cost = best(3, || {
        let start = Clock::now();
        let mut jit = Jit::new(whose);
        let mut context = Context::new();
        let mut ids = Vec::new();
        for number in 0..count {
            let module = jit.module();
            let name = format!("f{number}");
            let id = module.declare_function(&name, Linkage::Export, &unary()).expect("a new name");
            match number % 100 {
                0 => leaf(module, &mut context, 0),
                _ => body(module, &mut context, ids[ids.len() - 1], 1),
            }
            module.define_function(id, &mut context).expect("a whole function");
            ids.push(id);
        }
        jit.finalize();
        for &id in ids.iter().step_by(100) {
            // SAFETY: it is one of these functions.
            assert_eq!(unsafe { jit.function(id)(7) }, 7);
        }
        start.elapsed()
    });
    print_cost("start, 1 % called", of, cost, 1);
}

/// Bytes that the process has in memory: pages that it maps twice, as code is that one address runs and
/// another one writes, count once.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("a process");
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("its pages");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number");
    kilobytes * 1024.0
}

fn memory(what: &str, jit: fn(Whose) -> Jit, whose: Whose, of: &str, count: u32) {
    let mut first = jit(whose);
    define(&mut first, 1);
    drop(first);
    let before = resident();
    let mut jit = jit(whose);
    let ids = define(&mut jit, count);
    let grown = resident() - before;
    std::hint::black_box((&jit, ids));
    print(what, of, grown / f64::from(count));
}

fn calls(whose: Whose, of: &str) {
    let mut jit = Jit::new(whose);
    let mut context = Context::new();
    let module = jit.module();
    let declare = |module: &mut dyn Module, name| {
        module.declare_function(name, Linkage::Export, &unary()).expect("a new name")
    };
    let callee = declare(module, "callee");
    leaf(module, &mut context, 1);
    module.define_function(callee, &mut context).expect("a whole function");
    let caller = declare(module, "caller");
    body(module, &mut context, callee, CALLS.into());
    module.define_function(caller, &mut context).expect("a whole function");
    jit.finalize();
    let (caller, followed) = (jit.function(caller), jit.function(callee));
    // SAFETY: these are the functions above.
    let run = || assert_eq!(unsafe { caller(0) }, CALLS.into());
    let timed = |run: &dyn Fn()| {
        let start = Clock::now();
        run();
        start.elapsed()
    };
    print_cost("call", of, best(5, || timed(&run)), CALLS);
    let through = |callee: Unary| {
        let callee = std::hint::black_box(callee);
        let mut number = 0;
        for _ in 0..CALLS {
            // SAFETY: as above.
            number = unsafe { callee(number) };
        }
        assert_eq!(number, CALLS.into());
    };
    let code = jit.code(callee);
    print_cost("call of a pointer to code", of, best(5, || timed(&|| through(code))), CALLS);
    if whose != Whose::Peer {
        let cost = best(5, || timed(&|| through(followed)));
        print_cost("call of a pointer that follows redefinitions", of, cost, CALLS);
    }
}

/// Redefines a function and calls it over another one, again and again; old code is freed.
fn redefinition(of: &str) {
    let mut jit = Jit::new(Whose::Lazy);
    let ids = define(&mut jit, 2);
    let call = jit.function(ids[1]);
    let Jit::Ours(module) = &mut jit else { return };
    let mut context = Context::new();
    let cost = best(3, || {
        let mut spent = Cost::default();
        for number in 0..REDEFINITIONS {
            leaf(module, &mut context, number.into());
            let start = Clock::now();
            module.redefine_function(ids[0], &mut context).expect("a whole function");
            // SAFETY: it is the second function.
            assert_eq!(unsafe { call(0) }, number.into());
            // SAFETY: no code runs.
            unsafe { module.session().reclaim() };
            spent += start.elapsed();
        }
        spent
    });
    print_cost("redefine, compile, call, free", of, cost, REDEFINITIONS);
}

fn measure(what: &str, whose: Whose, of: &str, count: u32) {
    match what {
        "define" => definition("define and finalize", Jit::new, whose, of, count),
        "define-bare" => {
            definition("define and finalize, bare", Jit::bare, whose, of, count);
        }
        "called" => defined_and_called(whose, of, count),
        "memory" => memory("memory, with unwind records", Jit::new, whose, of, count),
        "memory-bare" => {
            memory("memory, bare", Jit::bare, whose, of, count);
        }
        "start" => start(whose, of, count),
        "calls" => calls(whose, of),
        "redefine" => redefinition(of),
        _ => eprintln!("nothing is called {what}"),
    }
}

/// What is measured, of how many functions and of whom.
type Measured = (&'static str, u32, &'static [(Whose, &'static str)]);

fn all() -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    for count in [10, 1_000, 100_000] {
        all.push(("define", count, &ALL));
    }
    for count in [10, 1_000, 100_000] {
        all.push(("define-bare", count, &COMPILED));
    }
    all.extend([("called", 1_000, &ALL[..]), ("memory", 100_000, &ALL)]);
    all.push(("memory-bare", 100_000, &COMPILED));
    all.extend([("start", 10_000, &ALL[..]), ("calls", 1, &ALL[..2]), ("redefine", 1, &ALL[1..2])]);
    all
}

/// Takes in a line if it tells less than the one of the same before.
fn take_least(least: &mut Vec<(String, f64)>, line: &str) {
    let (of, figure) = line.rsplit_once('\t').expect("a figure");
    let figure = figure.parse::<f64>().expect("a number");
    match least.iter_mut().find(|(known, _)| known == of) {
        Some((_, known)) => *known = figure.min(*known),
        None => least.push((of.to_owned(), figure)),
    }
}

fn main() {
    // Cargo adds arguments of its own.
    let arguments: Vec<_> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let [what, whose, count] = &arguments[..] {
        let known = ALL.iter().find(|(_, name)| name == whose);
        let count = count.parse().expect("a number");
        let &(whose, name) = known.expect("one of those that are measured");
        return measure(what, whose, &format!("{name}, {count}"), count);
    }
    let program = std::env::current_exe().expect("this program");
    for (what, count, whose) in all() {
        let mut least = Vec::<(String, f64)>::new();
        for _ in 0..TURNS {
            for (_, name) in whose {
                let mut command = Command::new(&program);
                let output = command.args([what, name, &count.to_string()]).output();
                let output = output.expect("a process");
                assert!(output.status.success(), "{what} {name} {count}");
                let text = String::from_utf8(output.stdout).expect("text");
                text.lines().for_each(|line| take_least(&mut least, line));
            }
        }
        for (of, figure) in least {
            println!("{of}\t{figure}");
        }
    }
}
