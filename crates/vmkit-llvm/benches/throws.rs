//! Times of throwing, walking and stopping, one a line: what, with how many frames or threads, and
//! nanoseconds. `cargo xtask bench --only throws` makes a table of them. The argument says how many
//! functions are linked beside those that are measured.
#![expect(unsafe_code, reason = "calls compiled code, and unwinds it")]

use std::cell::Cell;
use std::ffi::c_int;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use vmkit::code::CodeMap;
use vmkit::safepoint::Safepoints;
use vmkit::throw::throw;
use vmkit::walk::{Anchor, Walker};
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

const THREADS: usize = 8;

static MAP: OnceLock<Arc<CodeMap>> = OnceLock::new();

thread_local! {
    /// Nanoseconds a frame, of the last walk.
    static WALKED: Cell<f64> = const { Cell::new(0.0) };
}

fn map() -> &'static CodeMap {
    MAP.get().expect("it is set first")
}

extern "C" fn vm_throw(anchor: &mut Anchor) {
    // SAFETY: the anchor is that of the entry which called; nothing here is left to drop.
    let unhandled = unsafe { throw(map(), anchor, 1, |_, _| true) };
    panic!("{unhandled:?}");
}

extern "C" fn vm_walk(anchor: &mut Anchor) {
    const WALKS: u32 = 1000;
    let anchor = std::ptr::from_mut(anchor) as u64;
    // SAFETY: the walk reads the stack of this thread, which waits here.
    let read = |at: u64| Some(unsafe { (at as *const u64).read() });
    let walk = || Walker::from_anchor(map(), anchor, read).map(black_box).count();
    let frames = walk();
    let start = Instant::now();
    (0..WALKS).for_each(|_| assert_eq!(walk(), frames));
    WALKED.set(start.elapsed().as_nanos() as f64 / f64::from(WALKS) / frames as f64);
}

vmkit::native_entry! {
    /// Throws.
    fn vm_throw_entry() = vm_throw;
    /// Walks.
    fn vm_walk_entry() = vm_walk;
}

/// An exception of the system's unwinder (Itanium C++ ABI, level 1).
#[repr(C, align(16))]
struct Exception([u64; 4]);

unsafe extern "C-unwind" {
    fn _Unwind_RaiseException(exception: *mut Exception) -> c_int;
    fn _Unwind_GetIP(context: *mut u8) -> u64;
    fn _Unwind_SetIP(context: *mut u8, address: u64);
    fn _Unwind_SetGR(context: *mut u8, register: c_int, value: u64);
}

extern "C-unwind" fn system_throw() {
    let mut exception = Exception([0; 4]);
    // SAFETY: it is handled by `throw_by_system`, which does not look at the exception.
    let error = unsafe { _Unwind_RaiseException(&raw mut exception) };
    panic!("error {error} of the system's unwinder");
}

/// The personality routine of the frames that catch: as quick as can be, so that what is measured is
/// the unwinder.
extern "C-unwind" fn personality(
    _: c_int,
    actions: c_int,
    _: u64,
    exception: u64,
    context: *mut u8,
) -> c_int {
    const SEARCH: c_int = 1;
    // SAFETY: the unwinder gives a context.
    let call = unsafe { _Unwind_GetIP(context) } - 1;
    let function = map().find(call).expect("it is linked");
    let site = function.call_sites.as_ref().and_then(|table| table.at(call));
    let pad = site.and_then(|site| site.landing_pad);
    match pad {
        None => 8, // go on
        Some(_) if actions & SEARCH != 0 => 6,
        Some(pad) => {
            // SAFETY: as above; the registers are those of a landing pad.
            unsafe {
                _Unwind_SetGR(context, 0, exception);
                _Unwind_SetGR(context, 1, 1);
                _Unwind_SetIP(context, pad);
            }
            7
        }
    }
}

fn many_functions(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let body = format!("%s = add i64 %n, {number}\n ret i64 %s");
        writeln!(text, "define i64 @f{number}(i64 %n) uwtable {{\n {body}\n}}").expect("a string");
    }
    text
}

fn start(safepoints: &Safepoints, functions: usize) -> (Session, Llvm) {
    let map = MAP.get_or_init(Arc::default).clone();
    let session = Session::builder().listener(map).build().expect("a session");
    for (name, entry) in [
        ("vm_throw", vm_throw_entry as *const ()),
        ("vm_walk", vm_walk_entry as *const ()),
        ("system_throw", system_throw as *const ()),
        ("vm_personality", personality as *const ()),
        ("system_personality", personality as *const ()),
    ] {
        session.define_absolute(name, Addr(entry as u64)).expect("its name is free");
    }
    for (name, address) in safepoints.symbols() {
        session.define_absolute(name, address).expect("its name is free");
    }
    let options = Options { level: Level::O1, polls: true, ..Options::default() };
    let llvm = Llvm::new(&session, options);
    llvm.add("throws.ll", include_bytes!("throws.ll").to_vec()).expect("a sound module");
    llvm.add("many.ll", many_functions(functions).into_bytes()).expect("a sound module");
    (session, llvm)
}

fn function(session: &Session, name: &str) -> extern "C-unwind" fn(u64) -> u64 {
    let address = session.address(session.symbol(name)).expect("it is defined");
    // SAFETY: what is called of throws.ll takes a number and gives one.
    unsafe { std::mem::transmute(address.0) }
}

/// Nanoseconds of the quickest of many runs, in rounds of some.
fn time(mut run: impl FnMut()) -> f64 {
    // The system's unwinder sorts what was registered when it is first asked.
    run();
    let mut best = f64::INFINITY;
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        let start = Instant::now();
        (0..10).for_each(|_| run());
        best = best.min(start.elapsed().as_nanos() as f64 / 10.0);
    }
    best
}

fn throws(session: &Session) {
    for depth in [1, 10, 100] {
        for (what, name) in [("throw", "throw_by_vm"), ("throw, system", "throw_by_system")] {
            let function = function(session, name);
            // The frame that catches is one of them.
            let nanoseconds = time(|| assert_eq!(function(depth - 1), 1));
            println!("{what}\t{depth}\t{nanoseconds:.0}");
        }
    }
}

fn walks(session: &Session) {
    for depth in [10, 100] {
        let walk = function(session, "walk");
        walk(depth);
        println!("walk, a frame\t{depth}\t{:.1}", WALKED.get());
    }
}

fn stops(session: &Session, safepoints: &Safepoints) {
    let spin = function(session, "spin");
    let done = AtomicU64::new(0);
    let started = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mutator = safepoints.register();
                started.fetch_add(1, Ordering::Relaxed);
                mutator.managed(|| spin(done.as_ptr() as u64));
            });
        }
        while started.load(Ordering::Relaxed) < THREADS as u64 {
            thread::yield_now();
        }
        let median = |mut run: Box<dyn FnMut() + '_>| {
            let mut times: Vec<_> = (0..200)
                .map(|_| {
                    thread::sleep(Duration::from_micros(200));
                    let start = Instant::now();
                    run();
                    start.elapsed().as_nanos()
                })
                .collect();
            times.sort_unstable();
            times[times.len() / 2]
        };
        let all =
            median(Box::new(|| assert_eq!(safepoints.stop_the_world(|all| all.len()), THREADS)));
        println!("stop, threads that run\t{THREADS}\t{all}");
        let one = median(Box::new(|| assert!(safepoints.handshake(3, |_| ()).is_some())));
        println!("handshake\t1\t{one}");
        done.store(1, Ordering::Relaxed);
    });
    let (gate, started) = (std::sync::Mutex::new(()), AtomicU64::new(0));
    thread::scope(|scope| {
        let closed = gate.lock().expect("nobody panics");
        for _ in 0..THREADS {
            scope.spawn(|| {
                let _mutator = safepoints.register();
                started.fetch_add(1, Ordering::Relaxed);
                drop(gate.lock());
            });
        }
        while started.load(Ordering::Relaxed) < THREADS as u64 {
            thread::yield_now();
        }
        let all = time(|| assert_eq!(safepoints.stop_the_world(|all| all.len()), THREADS));
        println!("stop, threads in native code\t{THREADS}\t{all:.0}");
        drop(closed);
    });
}

fn main() {
    let safepoints = Safepoints::new();
    // Cargo has arguments of its own.
    let functions = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let (session, llvm) = start(&safepoints, functions);
    for symbol in llvm.functions().expect("sound modules") {
        session.compile(symbol).expect("it compiles");
    }
    assert!(map().take_errors().is_empty() && map().len() > functions);
    throws(&session);
    walks(&session);
    stops(&session, &safepoints);
}
