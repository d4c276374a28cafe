//! The program `vmkit`: runs LLVM bitcode, IR text, objects and archives, each function compiled
//! when it is first called.
#![no_main]

mod load;
mod options;
mod report;
mod run;

use std::ffi::{c_char, c_int};

use clap::Parser;

use crate::options::{Command, Options};

/// Bad usage, or input that cannot be read.
const BAD_INPUT: c_int = 2;

/// The C entry point rather than Rust's, which would ignore SIGPIPE and handle SIGSEGV: the program
/// that is run must find signals as the system gave them.
#[expect(unsafe_code, reason = "the symbol that the C runtime calls")]
// SAFETY: `main` is defined nowhere else in this program.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char, _: *const *const c_char) -> c_int {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Nothing can be done about an output that is closed.
            let _ = error.print();
            return if error.use_stderr() { BAD_INPUT } else { 0 };
        }
    };
    let result = match options.command {
        Command::Run(run) => run::run(&run),
    };
    result.unwrap_or_else(|error| {
        eprintln!("vmkit: {error}");
        BAD_INPUT
    })
}
