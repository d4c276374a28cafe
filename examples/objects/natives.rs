//! What compiled code calls of the machine: the slow path of allocation, throwing, printing, threads.
//!
//! All come in through an entry, which notes in an anchor where compiled code was left: from there,
//! the collector walks the caller's frames, and an exception looks for its landing pad.
#![expect(unsafe_code, reason = "takes references from compiled code, and drops its frames")]

use std::io::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use vmkit::Addr;
use vmkit::code::CodeMap;
use vmkit::metadata::TypeInfo;
use vmkit::safepoint::Mutator;
use vmkit::throw::throw;
use vmkit::walk::Anchor;

use super::heap::Local;
use super::vm::Vm;

/// A thread of the language, on its own stack.
pub(crate) struct Current {
    vm: Arc<Vm>,
    mutator: Mutator,
}

impl Current {
    /// Makes the calling thread one of the language, and runs a method of its receiver's or a
    /// function.
    pub(crate) fn run(vm: Arc<Vm>, local: &Arc<Local>, code: Addr) -> i64 {
        let mutator = vm.safepoints.register();
        let current = Self { vm, mutator };
        local.current.store((&raw const current).cast_mut(), Ordering::Relaxed);
        let result = current.mutator.managed(|| {
            // SAFETY: this is the thread, and whoever started it looked the code up.
            unsafe { current.vm.enter(code, local) }
        });
        local.current.store(std::ptr::null_mut(), Ordering::Relaxed);
        result
    }

    fn of(local: &Local) -> &Self {
        // SAFETY: compiled code only runs while `run` does, which set this.
        unsafe { &*local.current.load(Ordering::Relaxed) }
    }
}

fn fail(what: &str) -> ! {
    eprintln!("objects: {what}");
    process::exit(3)
}

extern "C" fn allocate(local: &Local, size: u64, anchor: &mut Anchor) -> u64 {
    let Current { vm, mutator } = Current::of(local);
    loop {
        let seen = vm.heap.collections();
        if let Some(object) = vm.heap.allocate(local, size) {
            return object;
        }
        let collect = || vm.heap.collect(&vm.safepoints, &vm.map, &vm.session, seen);
        if mutator.native(anchor, collect) < size {
            fail("out of memory");
        }
    }
}

extern "C" fn throw_object(exception: u64, local: &Local, anchor: &mut Anchor) -> ! {
    raise(exception, local, anchor)
}

fn raise(exception: u64, local: &Local, anchor: &Anchor) -> ! {
    local.exception.store(exception, Ordering::Relaxed);
    let map: *const CodeMap = &*Current::of(local).vm.map;
    let is_of = |type_info, _| is_of(exception, type_info);
    // SAFETY: the map lives as long as the machine; the anchor is the caller's, and no frame between
    // here and there holds anything.
    let unhandled = unsafe { throw(&*map, anchor, exception, is_of) };
    fail(&format!("an exception got lost: {unhandled:?}"))
}

/// Is an exception of the class that `type_info` stands for? LLVM's tables have the address of the
/// class's number, Cranelift's the number itself.
fn is_of(exception: u64, type_info: TypeInfo) -> bool {
    use super::vm::table::{CLASS, PARENT};
    // SAFETY: a clause's type is a number in linked data, or a slot with its address; an object's
    // header and a table's parent are tables.
    let word = |at: u64| unsafe { (at as *const u64).read() };
    let wanted = match type_info {
        TypeInfo::Any => return true,
        TypeInfo::At(at) => word(at),
        TypeInfo::InSlot(slot) => word(word(slot)),
        TypeInfo::Number(number) | TypeInfo::NumberIn(number, _) => u64::from(number),
    };
    let tables = std::iter::successors(Some(word(exception)), |table| match word(table + PARENT) {
        0 => None,
        parent => Some(parent),
    });
    tables.into_iter().any(|table| word(table + CLASS) == wanted)
}

extern "C" fn print(number: i64, local: &Local, anchor: &mut Anchor) -> i64 {
    let Current { vm, mutator } = Current::of(local);
    // The output may block: nobody need wait for this thread meanwhile.
    let written = mutator.native(anchor, || writeln!(vm.output.lock().unwrap(), "{number}"));
    if let Err(error) = written {
        fail(&format!("cannot print: {error}"));
    }
    number
}

extern "C" fn spawn(receiver: u64, local: &Local, _: &mut Anchor) -> i64 {
    let vm = &Current::of(local).vm;
    let class = vm.class_of(receiver);
    // The compiler has seen to it that there is one.
    let (_, run) = class.method("run").expect("a class with a method run");
    let code = vm.session.stub_address(vm.session.symbol(&run.symbol()));
    let started = code.map(|code| vm.start(code, receiver));
    match started {
        Ok(Ok(running)) => {
            let mut threads = vm.threads.lock().unwrap();
            threads.push(Some(running));
            threads.len() as i64 - 1
        }
        Ok(Err(error)) => fail(&error.to_string()),
        Err(error) => fail(&error.to_string()),
    }
}

extern "C" fn join(number: i64, local: &Local, anchor: &mut Anchor) -> i64 {
    let Current { vm, mutator } = Current::of(local);
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    let running = vm.threads.lock().unwrap().get_mut(place).and_then(Option::take);
    let Some(running) = running else { fail("a thread that was not spawned, or joined already") };
    let thread = running.thread;
    let Ok(result) = mutator.native(anchor, || thread.join()) else { fail("a thread panicked") };
    let uncaught = vm.uncaught(&running.local);
    vm.heap.remove_thread(&running.local);
    drop(running.local);
    // What ended the thread goes on in the one that waits for it.
    match uncaught {
        Some(exception) => raise(exception, local, anchor),
        None => result,
    }
}

extern "C" fn personality() {
    fail("the system's unwinder met a frame of the language")
}

vmkit::native_entry! {
    /// Room for an object, where the fast path found none.
    fn allocate_entry(local, size) = allocate;
    /// Throws an object.
    fn throw_entry(exception, local) = throw_object;
    /// Prints a number.
    fn print_entry(number, local) = print;
    /// Starts a thread.
    fn spawn_entry(receiver, local) = spawn;
    /// Waits for one.
    fn join_entry(number, local) = join;
}

/// The names that compiled code has for them.
pub(crate) fn symbols() -> impl Iterator<Item = (&'static str, Addr)> {
    let entries = [
        ("vm_allocate_slow", allocate_entry as *const ()),
        ("vm_throw", throw_entry as *const ()),
        ("vm_print", print_entry as *const ()),
        ("vm_spawn", spawn_entry as *const ()),
        ("vm_join", join_entry as *const ()),
        ("vm_personality", personality as *const ()),
    ];
    entries.into_iter().map(|(name, entry)| (name, Addr(entry as u64)))
}
