//! What compiled code calls of the machine: the slow path of allocation, throwing, printing, threads.
//!
//! All come in through an entry, which notes in an anchor where compiled code was left: from there,
//! the collector walks the caller's frames, and an exception looks for its landing pad.
#![expect(unsafe_code, reason = "takes references from compiled code, and drops its frames")]

use std::fmt::Display;
use std::io::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use vmkit::metadata::TypeInfo;
use vmkit::safepoint::Mutator;
use vmkit::throw::throw;
use vmkit::walk::Anchor;
use vmkit::{Addr, Result};

use super::heap::Local;
use super::vm::Vm;

/// `vm_enter` of the runtime.
type Enter = unsafe extern "C" fn(*const u8, *const Local) -> i64;

/// A thread of the language, on its own stack.
pub(crate) struct Current {
    vm: Arc<Vm>,
    mutator: Mutator,
}

impl Current {
    /// Makes the calling thread one of the language, and runs a method of its receiver's or a
    /// function, that takes nothing.
    ///
    /// # Errors
    ///
    /// The runtime has no `vm_enter`.
    pub(crate) fn run(vm: Arc<Vm>, local: &Arc<Local>, code: Addr) -> Result<i64> {
        let enter = vm.session.function::<Enter>("vm_enter")?;
        let mutator = vm.safepoints.register();
        let current = Self { vm, mutator };
        local.current.store((&raw const current).cast_mut(), Ordering::Relaxed);
        // SAFETY: this is the thread, and whoever started it looked the code up.
        let run = || unsafe { enter.call(code.0 as *const u8, Arc::as_ptr(local)) };
        Ok(current.mutator.managed(run))
    }

    fn of(local: &Local) -> &Self {
        // SAFETY: compiled code only runs while `run` does, which set this.
        unsafe { &*local.current.load(Ordering::Relaxed) }
    }
}

fn fail(what: &dyn Display) -> ! {
    eprintln!("objects: {what}");
    process::exit(3)
}

extern "C" fn allocate(local: &Local, size: u64, anchor: &mut Anchor) -> u64 {
    let Current { vm, mutator } = Current::of(local);
    loop {
        let seen = vm.heap.counts().collections;
        if let Some(object) = vm.heap.allocate(local, size) {
            return object;
        }
        if mutator.native(anchor, || vm.heap.collect(vm, seen)) < size {
            fail(&"out of memory");
        }
    }
}

extern "C" fn throw_object(exception: u64, local: &Local, anchor: &mut Anchor) -> ! {
    local.exception.store(exception, Ordering::Relaxed);
    let map = &Current::of(local).vm.map;
    let is_wanted = |type_info: TypeInfo, _| {
        // SAFETY: types of exceptions are numbers of classes.
        unsafe { type_info.number() }.is_some_and(|class| is_a(exception, class, local))
    };
    // SAFETY: the map lives as long as the machine; the anchor is the caller's, and no frame between
    // here and there holds anything.
    let unhandled = unsafe { throw(map, anchor, exception, is_wanted) };
    fail(&format!("an exception got lost: {unhandled:?}"))
}

/// Throws on what is not of the class with this number.
extern "C" fn catch(exception: u64, class: u64, local: &Local, anchor: &mut Anchor) -> u64 {
    if is_a(exception, class, local) { exception } else { throw_object(exception, local, anchor) }
}

fn is_a(exception: u64, class: u64, local: &Local) -> bool {
    let own = Current::of(local).vm.program.class_of(exception);
    own.line().any(|own| own.number as u64 == class)
}

extern "C" fn print(number: i64, local: &Local, anchor: &mut Anchor) -> i64 {
    let Current { vm, mutator } = Current::of(local);
    // The output may block: nobody need wait for this thread meanwhile.
    let written = mutator.native(anchor, || writeln!(vm.output.lock().unwrap(), "{number}"));
    written.map_or_else(|error| fail(&error), |()| number)
}

extern "C" fn spawn(receiver: u64, local: &Local, _: &mut Anchor) -> i64 {
    let vm = &Current::of(local).vm;
    // The compiler has seen to it that there is one.
    let run = vm.program.class_of(receiver).method("run").expect("a class with a method run");
    let running = vm.start(&run.symbol(), receiver).unwrap_or_else(|error| fail(&error));
    let mut threads = vm.threads.lock().unwrap();
    threads.push(Some(running));
    threads.len() as i64 - 1
}

extern "C" fn join(number: i64, local: &Local, anchor: &mut Anchor) -> i64 {
    let Current { vm, mutator } = Current::of(local);
    let running = vm.threads.lock().unwrap().get_mut(number as usize).and_then(Option::take);
    let Some((ended, thread)) = running else { fail(&"no such thread, or joined already") };
    let Ok(result) = mutator.native(anchor, || thread.join()) else { fail(&"a panic") };
    let result = result.unwrap_or_else(|error| fail(&error));
    let exception = ended.exception.load(Ordering::Relaxed);
    drop(ended);
    // What ended the thread goes on in the one that waits for it.
    if exception == 0 { result } else { throw_object(exception, local, anchor) }
}

extern "C" fn personality() {
    fail(&"the system's unwinder met a frame of the language")
}

vmkit::native_entry! {
    /// Room for an object, where the fast path found none.
    fn allocate_entry(local, size) = allocate;
    /// Throws an object.
    fn throw_entry(exception, local) = throw_object;
    /// Goes on with an exception that is wanted.
    fn catch_entry(exception, class, local) = catch;
    /// Prints a number.
    fn print_entry(number, local) = print;
    /// Starts a thread.
    fn spawn_entry(receiver, local) = spawn;
    /// Waits for one.
    fn join_entry(number, local) = join;
}

/// The names that compiled code has for them.
pub(crate) fn symbols() -> [(&'static str, Addr); 7] {
    [
        ("vm_allocate_slow", allocate_entry as *const ()),
        ("vm_throw", throw_entry as *const ()),
        ("vm_catch", catch_entry as *const ()),
        ("vm_print", print_entry as *const ()),
        ("vm_spawn", spawn_entry as *const ()),
        ("vm_join", join_entry as *const ()),
        ("vm_personality", personality as *const ()),
    ]
    .map(|(name, entry)| (name, Addr(entry as u64)))
}
