//! Times of calls, redefinition and first calls, one a line: what, how many, and nanoseconds.
//! `cargo xtask bench --only kit` makes a table of them.
#![expect(unsafe_code, reason = "calls compiled code")]

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use vmkit::graph::{
    Binding as GraphBinding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol,
};
use vmkit::{
    Addr, Binding, Chosen, Descriptor, DispatchTable, Error, Function, Private, Result, ScopeId,
    Session, Source, SymbolId, SymbolKind, Unit,
};
use vmkit_llvm::{Building, Level, Llvm, Options};

const CALLS: u64 = 20_000_000;
const REDEFINITIONS: u32 = 1000;

/// How often each kind of call has its turn.
const ROUNDS: u32 = 10;

/// How long a function is redefined, each time that it is its turn.
const ROUND: Duration = Duration::from_millis(250);
const LOOPS: &str = include_str!("kit.ll");
const CALLEE: &str = "define i64 @callee(i64 %x) noinline { %y = add i64 %x, 1  ret i64 %y }";

/// The least of a few runs, in nanoseconds for each of `count`.
fn best(runs: u32, count: u64, mut run: impl FnMut()) -> f64 {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / count as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

fn line(what: &str, count: &str, nanoseconds: f64) {
    println!("{what}\t{count}\t{nanoseconds}");
}

#[inline(never)]
extern "C" fn native_callee(x: u64) -> u64 {
    std::hint::black_box(x) + 1
}

/// A session in which a loop calls a function.
struct Calls {
    session: Session,
    llvm: Llvm,
    callee: SymbolId,
    run: Function<unsafe extern "C" fn(u64) -> u64>,
    through: Function<unsafe extern "C" fn(u64, *const u8) -> u64>,
}

impl Calls {
    fn new(binding: Binding) -> Result<Self> {
        let session = Session::builder().build()?;
        let llvm = Llvm::new(&session, Options { level: Level::O2, ..Options::default() });
        llvm.add("callee", CALLEE.into())?;
        llvm.add("loops", LOOPS.into())?;
        let (run, through) = (llvm.function("calls")?, llvm.function("calls_pointer")?);
        let callee = session.symbol("callee");
        session.set_binding(callee, binding);
        Ok(Self { session, llvm, callee, run, through })
    }

    fn redefine(&self) -> Result<()> {
        for _ in 0..REDEFINITIONS {
            self.llvm.replace("callee", CALLEE.into())?;
            self.session.compile(self.callee)?;
            // SAFETY: nobody runs anything.
            unsafe { self.session.reclaim() };
        }
        Ok(())
    }

    fn run(&self) {
        // SAFETY: as the module says.
        assert_eq!(unsafe { self.run.call(CALLS) }, CALLS);
    }

    /// Calls through a pointer, the function's address.
    fn through(&self, stub: Addr) {
        // SAFETY: as the module says; the pointer is the function's.
        assert_eq!(unsafe { self.through.call(CALLS, stub.0 as *const u8) }, CALLS);
    }
}

fn native() {
    let mut x = 0;
    (0..CALLS).for_each(|_| x = native_callee(x));
    assert_eq!(x, CALLS);
}

/// The kinds of calls take turns, since they are compared.
fn calls() -> Result<()> {
    let (direct, slot) = (Calls::new(Binding::Direct)?, Calls::new(Binding::Slot)?);
    let redefined = Calls::new(Binding::Direct)?;
    redefined.redefine()?;
    let stub = direct.session.address(direct.callee)?;
    let kinds: [(&str, &dyn Fn()); 5] = [
        ("direct site", &|| direct.run()),
        ("stub and slot", &|| slot.run()),
        ("direct site, redefined 1000 times", &|| redefined.run()),
        ("function pointer", &|| direct.through(stub)),
        ("native, ahead of time", &native),
    ];
    let mut least = [f64::INFINITY; 5];
    for _ in 0..ROUNDS {
        for (least, (_, run)) in least.iter_mut().zip(kinds) {
            *least = least.min(best(1, CALLS, run));
        }
    }
    kinds.iter().zip(least).for_each(|((what, _), least)| line("call", what, least));
    Ok(())
}

/// The body `x + 1`.
fn add_one(building: &Building<'_>) -> Result<()> {
    let context = building.context();
    let builder = context.create_builder();
    builder.position_at_end(context.append_basic_block(building.function(), ""));
    let x = building.function().get_first_param().expect("one parameter").into_int_value();
    let one = context.i64_type().const_int(1, false);
    let sum = builder.build_int_add(x, one, "").map_err(Error::other)?;
    builder.build_return(Some(&sum)).map_err(Error::other)?;
    Ok(())
}

/// Objects of 16 classes, the class of each being its table.
struct Classes {
    methods: OnceLock<HashMap<u64, SymbolId>>,
}

type Loop = unsafe extern "C" fn(u64, *const *const u64, u64) -> u64;

fn dispatch() -> Result<()> {
    let classes = Arc::new(Classes { methods: OnceLock::new() });
    let asked = classes.clone();
    let builder = Session::builder().on_dispatch(move |call| {
        // SAFETY: receivers are objects, whose first word is the class.
        let class = unsafe { *(call.arguments[0] as *const u64) };
        let methods = asked.methods.get().expect("classes are known before calls");
        Ok(Chosen { function: methods[&class], table: None })
    });
    let session = builder.build()?;
    let llvm = Llvm::new(&session, Options { level: Level::O2, ..Options::default() });
    llvm.add("loops", LOOPS.into())?;
    session.inline_cache("interface", 0, 0)?;
    let mut objects = Vec::new();
    let mut methods = HashMap::new();
    for number in 0..16 {
        let text = format!(
            "define i64 @m{number}(ptr %o, i64 %x) {{ %y = add i64 %x, {}  ret i64 %y }}",
            number + 1
        );
        llvm.add(&format!("class {number}"), text.into_bytes())?;
        let method = session.symbol(&format!("m{number}"));
        let table: Arc<DispatchTable> = session.dispatch_table(4)?;
        table.set(3, method)?;
        objects.push(Box::new(table.address().0));
        methods.insert(table.address().0, method);
    }
    drop(classes.methods.set(methods));
    let pointers: Vec<*const u64> = objects.iter().map(|object| &raw const **object).collect();
    let table = |name: &str, what: &[(&str, u64)]| -> Result<()> {
        let run = llvm.function::<Loop>(name)?;
        for &(count, classes) in what {
            // SAFETY: as the module says; there are 16 objects.
            let sum = || unsafe { run.call(CALLS, pointers.as_ptr(), classes - 1) };
            let expected = sum();
            let name = if name.ends_with("virtual") { "virtual call" } else { "interface call" };
            line(name, count, best(5, CALLS, || assert_eq!(sum(), expected)));
        }
        Ok(())
    };
    table("calls_virtual", &[("1 class", 1), ("4 classes", 4), ("16 classes", 16)])?;
    let interface = [("1 class", 1), ("4 classes, compared", 4), ("16 classes, looked up", 16)];
    table("calls_interface", &interface)
}

/// Functions of call sites without end, and the function that they call.
struct Sites {
    name: Arc<str>,
    per_function: usize,
}

/// The key of the callee; others are callers.
const TARGET: [u64; 2] = [0, 1];

impl Source for Sites {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        // call rel32; nopl (%rax): the displacement lies within eight bytes.
        let is_target = TARGET.contains(&key);
        let body = [0xe8, 0, 0, 0, 0, 0x0f, 0x1f, 0x00].repeat(self.per_function);
        let code = if is_target { vec![0xb8, key as u8, 0, 0, 0, 0xc3] } else { body };
        let count = if is_target { 0 } else { self.per_function };
        let edge = |n: usize| Edge {
            offset: 8 * n as u64 + 1,
            kind: EdgeKind(4), // R_X86_64_PLT32
            target: 1,
            addend: -4,
        };
        let kind = Some(SymbolKind::Function);
        let place = Place::Section { index: 0, offset: 0 };
        let size = code.len() as u64;
        let own = Symbol { place, kind, size, ..Symbol::undefined("own".into()) };
        let callee = Symbol {
            kind,
            binding: GraphBinding::Global(vmkit::Linkage::Strong),
            ..Symbol::undefined("target".into())
        };
        let section = Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align: 16,
            size,
            bytes: code,
            edges: (0..count).map(edge).collect(),
            group: None,
        };
        Ok(LinkGraph::of_section(self.name.clone(), section, vec![own, callee]))
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

/// A session with a function that so many sites call.
struct Redefined {
    session: Session,
    scope: ScopeId,
    target: SymbolId,
    sites: usize,
    /// The number of the body that the function has.
    key: usize,
    /// The least time that a redefinition took.
    best: f64,
    /// The least that the system call alone took, at the same times.
    barrier: f64,
}

impl Redefined {
    fn new(sites: usize) -> Result<Self> {
        let session = Session::builder().whole_process(false).build()?;
        let per_function = sites.min(1000);
        let source = Arc::new(Sites { name: "sites".into(), per_function });
        let scope = session.add_source(source);
        let define = |name: &str, key: u64| {
            let descriptor = Descriptor::strong(name.into(), SymbolKind::Function);
            session.define(&descriptor, scope, key, Unit::Lazy).map(|(id, _)| id)
        };
        let target = define("target", TARGET[0])?;
        session.compile(target)?;
        for number in 0..sites / per_function {
            session.compile(define(&format!("caller {number}"), number as u64 + 2)?)?;
        }
        assert_eq!(session.stats().sites_bound, sites as u64);
        let (best, barrier) = (f64::INFINITY, f64::INFINITY);
        Ok(Self { session, scope, target, sites, key: 0, best, barrier })
    }

    /// Redefines the function for a while, to be compiled at the next call.
    fn round(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < ROUND {
            self.key = 1 - self.key;
            settle();
            let start = Instant::now();
            self.session.redefine(self.target, self.scope, TARGET[self.key])?;
            self.best = self.best.min(start.elapsed().as_nanos() as f64);
            self.session.compile(self.target)?;
            // SAFETY: nobody runs anything.
            unsafe { self.session.reclaim() };
            settle();
            let start = Instant::now();
            sync_cores();
            self.barrier = self.barrier.min(start.elapsed().as_nanos() as f64);
        }
        assert_eq!(self.session.stats().sites_bound, self.sites as u64);
        Ok(())
    }

    /// What a redefinition takes by which the new body is compiled first.
    fn swap(&mut self) -> f64 {
        let rounds = (2_000_000 / self.sites).clamp(10, 20_000) as u64;
        let used = self.session.stats().code_bytes;
        let time = best(3, rounds, || {
            for _ in 0..rounds {
                self.key = 1 - self.key;
                let key = TARGET[self.key];
                let swapped = self.session.redefine_compiled(self.target, self.scope, key);
                swapped.expect("it compiles");
                // SAFETY: nobody runs anything.
                unsafe { self.session.reclaim() };
            }
        });
        assert_eq!(self.session.stats().sites_bound, self.sites as u64);
        assert_eq!(self.session.stats().code_bytes, used, "flat memory");
        time
    }
}

/// Lets compile threads that still look for work go to sleep: the system interrupts threads of the
/// process that run on other cores, and waits for them, which can take ten times as long as all else
/// of a redefinition.
fn settle() {
    let began = Instant::now();
    while began.elapsed() < Duration::from_micros(150) {
        std::hint::spin_loop();
    }
}

/// The system call that ends every redefinition.
fn sync_cores() {
    let command = libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE;
    // SAFETY: the call has no memory arguments. A session has registered for it.
    assert_eq!(unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }, 0);
}

fn redefinition(all: &mut [Redefined]) {
    for redefined in all {
        let sites = redefined.sites.to_string();
        line("redefine, compiled first and swapped", &sites, redefined.swap());
        line("redefine, compiled at the next call", &sites, redefined.best);
        line("membarrier alone, at the same times", &sites, redefined.barrier);
    }
}

/// First calls of functions that closures build, from definition to return.
fn first_calls() -> Result<()> {
    const FUNCTIONS: u64 = 500;
    for (level, what) in [(Level::O0, "-O0"), (Level::O2, "-O2")] {
        let session = Session::builder().build()?;
        let llvm = Llvm::new(&session, Options { level, ..Options::default() });
        let names: Vec<_> = (0..=FUNCTIONS).map(|number| format!("f{number}")).collect();
        let call = |name: &str| -> Result<()> {
            llvm.define_lazy(name, "i64 (i64)", add_one)?;
            let function = llvm.function::<unsafe extern "C" fn(i64) -> i64>(name)?;
            // SAFETY: it adds one.
            assert_eq!(unsafe { function.call(1) }, 2);
            Ok(())
        };
        // What is set up once is not a function's.
        call(&names[0])?;
        let start = Instant::now();
        names[1..].iter().try_for_each(|name| call(name))?;
        let time = start.elapsed().as_nanos() as f64 / FUNCTIONS as f64;
        line("define by a closure, and call", what, time);
    }
    Ok(())
}

/// Only the measurements that are named; all if none is. Rounds of redefinitions come between the
/// others, since a machine that is shared has slow phases of seconds.
fn main() -> Result<()> {
    type Measurement = fn() -> Result<()>;
    let all: [(&str, Measurement); 3] =
        [("calls", calls), ("dispatch", dispatch), ("first_calls", first_calls)];
    let wanted: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let sites: &[usize] =
        if is_wanted("redefinition") { &[1, 100, 10_000, 1_000_000] } else { &[] };
    let mut redefined =
        sites.iter().map(|&sites| Redefined::new(sites)).collect::<Result<Vec<_>>>()?;
    for (name, measure) in all {
        redefined.iter_mut().try_for_each(Redefined::round)?;
        if is_wanted(name) {
            measure()?;
        }
    }
    redefined.iter_mut().try_for_each(Redefined::round)?;
    redefinition(&mut redefined);
    Ok(())
}
