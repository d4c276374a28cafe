//! The program `vmkit`: runs LLVM bitcode, IR text, objects and archives, each function compiled
//! when it is first called.
#![no_main]

mod allocator;
mod apart;
mod caller;
mod dynamic;
mod explain;
mod fresh;
mod guards;
mod last_thread;
mod load;
mod nm;
mod options;
mod output;
mod processes;
mod report;
mod run;
mod runtime;
mod streams;
mod trace;
mod watch;

use std::ffi::{c_char, c_int};

use clap::Parser;

use crate::allocator::{AT_ONCE, reading, with_purge_delay};
use crate::options::{Command, Options};
use crate::run::Program;

/// Bad usage, or input that cannot be read.
const BAD_INPUT: c_int = 2;

/// The C entry point rather than Rust's, which would ignore SIGPIPE and handle SIGSEGV: the program
/// that is run must find signals as the system gave them.
#[expect(unsafe_code, reason = "the symbol that the C runtime calls, and the program")]
// SAFETY: `main` is defined nowhere else in this program.
#[unsafe(no_mangle)]
extern "C-unwind" fn main(_: c_int, _: *const *const c_char, _: *const *const c_char) -> c_int {
    allocator::begin();
    match prepare() {
        // SAFETY: what the user asked for; nothing here waits to be dropped.
        Ok(program) => unsafe { program.run() },
        Err(code) => code,
    }
}

/// The program to run, or the exit code if there is none.
fn prepare() -> Result<Program, c_int> {
    let options = Options::try_parse().map_err(|error| {
        // Nothing can be done about an output that is closed.
        let _ = error.print();
        if error.use_stderr() { BAD_INPUT } else { 0 }
    })?;
    let result = match options.command {
        Command::Run(run) => with_purge_delay(AT_ONCE, || run::prepare(&run)),
        Command::Nm(nm) => match reading(|| nm::nm(&nm)) {
            Ok(()) => return Err(0),
            Err(error) => Err(error),
        },
    };
    result.map_err(|error| fail(&error))
}

/// Tells of an error; its exit code.
fn fail(error: &vmkit::Error) -> c_int {
    eprintln!("vmkit: {error}");
    BAD_INPUT
}
