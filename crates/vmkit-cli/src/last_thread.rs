//! The end of a program whose main thread ends before the process does (`pthread_exit` in `main`).
//!
//! The C library ends a process with its last thread. Compile threads never end, so somebody has
//! to see that nothing else is left.
#![expect(unsafe_code, reason = "thread-specific data of the main thread")]

use std::ffi::c_void;
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, ptr, thread};

use vmkit::COMPILE_THREAD;

/// What the system calls the thread that looks.
const WATCHER: &str = "vmkit watch";
/// How often the threads that are left are counted.
const PERIOD: Duration = Duration::from_millis(5);

static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();

/// From now on, the process ends when nothing but compile threads is left. To be called by the main
/// thread.
pub(crate) fn exit_with_it() {
    let mut key = 0;
    // SAFETY: the destructor takes what `mark` sets; it does what a thread may do at its end.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(main_ends)) } == 0 {
        KEY.get_or_init(|| key);
        mark();
        // SAFETY: `mark` may be called anywhere. Whoever forks is the child's main thread.
        unsafe { libc::pthread_atfork(None, None, Some(mark)) };
    }
}

/// Has `main_ends` called when this thread ends.
extern "C" fn mark() {
    if let Some(&key) = KEY.get() {
        // SAFETY: the key exists for ever; any address but null will do.
        unsafe { libc::pthread_setspecific(key, ptr::dangling::<u8>().cast()) };
    }
}

unsafe extern "C" fn main_ends(_: *mut c_void) {
    let watcher = thread::Builder::new().name(WATCHER.into());
    if let Err(error) = watcher.spawn(exit_after_others) {
        eprintln!("vmkit: the process will not end: {error}");
    }
}

fn exit_after_others() {
    while is_anyone_left().unwrap_or(false) {
        thread::sleep(PERIOD);
    }
    // SAFETY: what the C library does after the last thread.
    unsafe { libc::exit(0) }
}

/// Is there a thread of the program? (A main thread that has ended stays, as a zombie.)
fn is_anyone_left() -> io::Result<bool> {
    for task in fs::read_dir("/proc/self/task")? {
        if is_of_program(&task?.path()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_of_program(task: &Path) -> bool {
    // A thread that cannot be read has just ended.
    let Ok(stat) = fs::read_to_string(task.join("stat")) else { return false };
    // "1234 (name) S ...", where the name may hold anything.
    let Some((start, rest)) = stat.rsplit_once(')') else { return false };
    let name = start.split_once('(').map_or("", |(_, name)| name);
    !(rest.starts_with(" Z") || name.as_bytes() == COMPILE_THREAD.to_bytes() || name == WATCHER)
}
