//! `vmkit run`: sets the stage as the C runtime does, and calls the program.
#![expect(unsafe_code, reason = "calls the program; hands C strings to it")]

use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use vmkit::{Addr, Error, Name, Result, Session, SymbolId, SymbolKind};
use vmkit_llvm::{Level, Llvm};

use crate::allocator;
use crate::apart;
use crate::caller::Roots;
use crate::dynamic;
use crate::fresh;
use crate::last_thread;
use crate::load::Inputs;
use crate::options::Run;
use crate::output::{Output, say};
use crate::report::Report;
use crate::runtime;
use crate::streams;
use crate::watch::Watch;

/// What a program finds without asking for any library, as clang links it.
const LIBRARIES: [&str; 3] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1"];
/// What it finds beside them, unless it brings another.
const CXX_LIBRARY: &str = "libstdc++.so.6";
/// A symbol that nobody defines was called.
const UNDEFINED: c_int = 127;
/// A function that was called cannot be compiled.
const UNCOMPILED: c_int = 126;

/// `FE_DFL_ENV`: floating point as a process begins with it, where nothing has been inexact yet.
const DEFAULT_ENVIRONMENT: *const c_void = ptr::without_provenance(usize::MAX);

type Function = unsafe extern "C-unwind" fn(c_int, *const *mut c_char, *const *mut c_char) -> c_int;

/// What `exit` has to do, kept where a C callback finds it.
struct AtExit {
    session: Session,
    llvm: Llvm,
    functions: u64,
    roots: Roots,
    watch: Watch,
    stats: Option<Output>,
    began: Instant,
    /// The process that was asked to report; those that it forks are not.
    process: u32,
}

static AT_EXIT: OnceLock<AtExit> = OnceLock::new();

/// A program that is ready to run. Nothing in it needs dropping, so that the end of the main thread
/// (`pthread_exit`) can unwind through whoever runs it.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    constructors: &'static [Addr],
    entry: Addr,
    arguments: Arguments,
}

impl Program {
    /// Runs the program to its end, and the process with it.
    ///
    /// # Safety
    ///
    /// The program is whatever the user asked to run; it may do anything. Called once.
    pub(crate) unsafe fn run(self) -> ! {
        let Arguments { count, pointers } = self.arguments;
        // SAFETY: plain C calls, and the caller's promise.
        unsafe {
            // Last in, first out: the report comes after the destructors, those after `atexit`'s.
            libc::atexit(report);
            libc::atexit(destroy);
            last_thread::exit_with_it();
            self.arguments.announce();
            fesetenv(DEFAULT_ENVIRONMENT);
            allocator::begin_anew();
            fresh::clear_stack();
            let environment = libc_environ();
            for &constructor in self.constructors {
                function(constructor)(count, pointers, environment);
            }
            libc::exit(function(self.entry)(count, pointers, environment))
        }
    }
}

/// Loads everything and sets the stage.
pub(crate) fn prepare(options: &Run) -> Result<Program> {
    let began = Instant::now();
    let mut builder = Session::builder().whole_process(false).on_failure(stop);
    if let Some(reach) = options.reach {
        builder = builder.reach(reach);
    }
    if let Some(threads) = options.threads {
        builder = builder.compile_threads(threads);
    }
    let (mut watch, builder) = Watch::new(options, builder)?;
    let session = builder.build()?;
    let level = [Level::O0, Level::O1, Level::O2, Level::O3][usize::from(options.level)];
    vmkit_llvm::contain_crashes();
    let backend = vmkit_llvm::Options {
        level,
        keep_debug: options.gdb,
        far_data: options.reach.is_some(),
        inlining: !options.no_inlining,
        redefinition: false,
        ..vmkit_llvm::Options::default()
    };
    let llvm = Llvm::new(&session, backend);
    session.warm_up();
    let wanted: Vec<Name> = [&options.entry]
        .into_iter()
        .chain(&options.undefined)
        .map(|name| Name::from(name.as_str()))
        .collect();
    let modules = &options.modules;
    let inputs = allocator::reading(|| Inputs::load(&session, &llvm, modules, &wanted))?;
    // Constructors of the program's libraries may call its functions.
    load_common_libraries(&session, apart::choose(options))?;
    runtime::define(&session)?;
    load_libraries(&session, options)?;
    session.copy_near_variables();

    let entry = entry(&session, &options.entry)?;
    for object in inputs.objects.iter().filter(|object| object.is_needed_at_start) {
        session.address(object.unit)?;
    }
    let has_libraries = !options.dlopen.is_empty() || !options.libraries.is_empty();
    let do_libraries = has_libraries && dynamic::take_over()?;
    if inputs.loads_libraries || do_libraries {
        session.share_thread_locals()?;
    }
    let (constructors, destructors) = structors(&session, &inputs)?;
    if options.eager {
        allocator::with_purge_delay(allocator::SOON, || compile_all(&session, &llvm))?;
    }
    let entry = session.address(entry)?;
    // SAFETY: the program's functions take the place of libraries' as they do in an executable.
    unsafe { session.interpose(interposed)? };

    let stats = options.stats.as_deref().map(Output::new).transpose()?;
    let functions = inputs.functions;
    watch.objects(inputs.objects);
    let constructors: &[Addr] = constructors.leak();
    let roots = Roots { entry, constructors, destructors };
    let process = std::process::id();
    let at_exit = AtExit { session, llvm, functions, roots, watch, stats, began, process };
    AT_EXIT.set(at_exit).ok().expect("a process runs one program");
    let arguments = Arguments::new(options);
    Ok(Program { constructors, entry, arguments })
}

/// The function to begin with.
fn entry(session: &Session, name: &str) -> Result<SymbolId> {
    let found = session.find(name).filter(|&id| session.is_defined(id));
    let id = found
        .ok_or_else(|| Error::other(format!("no module defines the entry function {name}")))?;
    // Assembly need not say what its symbols are: of those in objects only the program knows.
    let is_thread_local = session.explain(id).kind == Some(SymbolKind::ThreadLocal);
    match is_thread_local || session.data(id).is_some() {
        true => Err(Error::other(format!("the entry {name} is data, not a function"))),
        false => Ok(id),
    }
}

/// The functions of which the library at `path` calls the program's, where there are such. The C library
/// calls its own functions, too, but for those that allocate.
fn interposed(path: &str) -> Option<fn(&[u8]) -> bool> {
    match dynamic::is_c_library(path) {
        true => Some(allocator::is_replaceable),
        false if dynamic::is_own(path) => None,
        false => Some(|_| true),
    }
}

/// The function at an address of linked code.
///
/// # Safety
///
/// There is one, which takes no more arguments than `main` does.
unsafe fn function(address: Addr) -> Function {
    // SAFETY: the caller's promise.
    unsafe { std::mem::transmute(address.0 as *const ()) }
}

fn load_common_libraries(session: &Session, is_apart: bool) -> Result<()> {
    // SAFETY: libraries that this program itself uses.
    let load = |library: &str| unsafe { session.load_common_library(library) };
    LIBRARIES.iter().try_for_each(|library| load(library))?;
    if is_apart { Ok(()) } else { load(CXX_LIBRARY) }
}

/// The program's own libraries, which can replace functions of the C library.
fn load_libraries(session: &Session, options: &Run) -> Result<()> {
    options.dlopen.iter().try_for_each(|file| load_library(session, file))?;
    options.libraries.iter().try_for_each(|name| load_by_name(session, name))
}

fn load_library(session: &Session, file: &str) -> Result<()> {
    // SAFETY: whoever runs the program asks for the library, as for the program.
    unsafe { apart::load(session, file) }
}

/// Loads `libNAME.so`, or, where that is missing or a linker's script, the library itself under the
/// name that programs ask for at run time.
fn load_by_name(session: &Session, name: &str) -> Result<()> {
    let plain = load_library(session, &format!("lib{name}.so"));
    let versioned = |number| load_library(session, &format!("lib{name}.so.{number}")).ok();
    plain.or_else(|error| (0..100).find_map(versioned).ok_or(error))
}

/// Functions to call before and after the program, in the order to call them.
fn structors(session: &Session, inputs: &Inputs) -> Result<(Vec<Addr>, Vec<Addr>)> {
    let arrays = session.structors();
    let mut before = arrays.constructors;
    for structor in &inputs.constructors {
        before.push((structor.priority, session.address(structor.function)?));
    }
    let mut after = arrays.destructors;
    for structor in &inputs.destructors {
        after.push((structor.priority, session.address(structor.function)?));
    }
    for array in &inputs.arrays {
        let start = session.address(array.data)?;
        let list = if array.is_before { &mut before } else { &mut after };
        for offset in (0..array.size).step_by(8) {
            // SAFETY: linked data of this size.
            let function = unsafe { *((start.0 + offset) as *const u64) };
            list.push((array.priority, Addr(function)));
        }
    }
    // Stable: among equals the order of the modules.
    before.sort_by_key(|&(priority, _)| priority);
    after.sort_by_key(|&(priority, _)| priority);
    after.reverse();
    let addresses = |list: Vec<(u16, Addr)>| list.into_iter().map(|(_, address)| address).collect();
    Ok((addresses(before), addresses(after)))
}

fn compile_all(session: &Session, llvm: &Llvm) -> Result<()> {
    let functions = llvm.functions()?;
    for &function in &functions {
        session.request(function);
    }
    // A function that cannot be compiled is an error when it is called, as it is lazily.
    for &function in &functions {
        drop(session.compile(function));
    }
    Ok(())
}

/// A call that cannot be resolved or compiled: nothing the program has printed is lost.
fn stop(_: SymbolId, error: &Error, _: Addr) -> Addr {
    let code = if error.is_undefined() { UNDEFINED } else { UNCOMPILED };
    begin_to_stop(code);
    say(&format!("vmkit: {error}\n"));
    streams::write_out();
    if AT_EXIT.get().is_some() {
        report();
    }
    // SAFETY: no more code of the program is run.
    unsafe { libc::_exit(code) }
}

/// Goes on only for the thread that is the first in this process to stop it.
fn begin_to_stop(code: c_int) {
    /// Its number, below that of the process: children of `fork` stop by themselves.
    static FIRST: AtomicU64 = AtomicU64::new(0);
    // SAFETY: asks for numbers.
    let [process, thread] = unsafe { [libc::getpid(), libc::gettid()] }.map(i32::cast_unsigned);
    let own = u64::from(process) << 32 | u64::from(thread);
    let first = |known: u64| (known >> 32 != u64::from(process)).then_some(own);
    match FIRST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, first) {
        Ok(_) => {}
        // To write out what was printed takes what cannot be called.
        // SAFETY: no more code of the program is run.
        Err(known) if known == own => unsafe { libc::_exit(code) },
        Err(_) => loop {
            // SAFETY: waits for signals.
            unsafe { libc::pause() };
        },
    }
}

extern "C" fn destroy() {
    let at_exit = AT_EXIT.get().expect("set before it was registered");
    for &destructor in &at_exit.roots.destructors {
        // SAFETY: a destructor of the program, which takes nothing.
        unsafe { function(destructor)(0, ptr::null(), ptr::null()) };
    }
}

extern "C" fn report() {
    let at_exit = AT_EXIT.get().expect("set before it was registered");
    // The program is over; what follows is the end of the libraries.
    at_exit.session.use_original_libraries();
    streams::unlock();
    if std::process::id() != at_exit.process {
        return;
    }
    at_exit.watch.report(&at_exit.session, &at_exit.llvm, &at_exit.roots);
    let Some(stats) = &at_exit.stats else { return };
    let report = Report {
        functions_known: at_exit.functions,
        functions_inlined: at_exit.llvm.functions_inlined(),
        stats: at_exit.session.stats(),
        times: at_exit.llvm.times(),
        total_seconds: at_exit.began.elapsed().as_secs_f64(),
    };
    stats.write(&if stats.file().is_some() { report.json() } else { report.table() });
}

unsafe extern "C" {
    fn fesetenv(environment: *const c_void) -> c_int;
    static mut environ: *const *mut c_char;
    static mut program_invocation_name: *mut c_char;
    static mut program_invocation_short_name: *mut c_char;
}

fn libc_environ() -> *const *mut c_char {
    // SAFETY: read before the program runs, on the only thread that could change it.
    unsafe { environ }
}

/// The program's `argc` and `argv`, which it may write to, and keep for ever.
#[derive(Clone, Copy)]
struct Arguments {
    count: c_int,
    pointers: *const *mut c_char,
}

impl Arguments {
    fn new(options: &Run) -> Self {
        let first = options.argv0.as_ref().map_or(options.modules[0].as_os_str(), OsStr::new);
        let all = std::iter::once(first).chain(options.arguments.iter().map(|a| a.as_os_str()));
        // Arguments came from C strings: there is no NUL in them.
        let owned = all.map(|text| CString::new(text.as_bytes()).unwrap_or_default().into_raw());
        let mut pointers: Vec<_> = owned.collect();
        let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
        pointers.push(ptr::null_mut());
        Self { count, pointers: pointers.leak().as_ptr() }
    }

    /// Tells the C library the program's name, for its messages, and the system, which calls the calling
    /// thread so, and those that it starts.
    ///
    /// # Safety
    ///
    /// No other thread reads it meanwhile.
    unsafe fn announce(&self) {
        // SAFETY: the first argument is a C string that is never freed; so is what follows its
        // last slash.
        unsafe {
            let name = *self.pointers;
            let slash = libc::strrchr(name, c_int::from(b'/'));
            let short = if slash.is_null() { name } else { slash.add(1) };
            program_invocation_name = name;
            program_invocation_short_name = short;
            // Of which the system takes as much as it has room for.
            libc::prctl(libc::PR_SET_NAME, short);
        }
    }
}
