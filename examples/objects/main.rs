//! A small class-based language on vmkit: `cargo run --example objects -- PROGRAM.obj`.
//!
//! Classes are loaded when their first object is made, methods are compiled when they are first
//! called, and objects move. Read it in this order:
//!
//! 1. `parser.rs` shows the language; `syntax.rs` is its tree, and `program.rs` gives fields and
//!    methods their places. There is nothing of vmkit in them.
//! 2. `vm.rs` makes a session. The session asks it what an undefined name is (`resolve`: a class is
//!    loaded, a function defined) and which method a call means (`dispatch`). `load` makes a class's
//!    dispatch table, and outdates code that took for granted that nobody overrides a method.
//! 3. `emit/mod.rs` builds the IR of one function, in a closure that runs when the function is first
//!    called; `emit/calls.rs` is about direct, virtual and interface calls, `emit/catching.rs` about
//!    exceptions.
//! 4. `runtime.ll` is the runtime module: allocation's fast path, which becomes part of every function
//!    that makes objects.
//! 5. `natives.rs` is what compiled code calls: the slow path, `throw`, `print`, threads.
//! 6. `heap.rs` is the collector: stops all threads, finds the references in their frames by LLVM's
//!    stack maps, and moves all objects.
//!
//! `programs/` has programs to run, and says what they print.
//!
//! What it leaves out: strings, arrays and casts, locks, and a limit to recursion: a stack that
//! overflows ends the process.

mod emit;
mod heap;
mod natives;
mod parser;
mod program;
mod syntax;
pub(crate) mod vm;

use std::process::ExitCode;

use vmkit_llvm::Level;

use program::{PRELUDE, Program};
use vm::{Outcome, Setting, Vm};

/// The program of a source text.
///
/// # Errors
///
/// What is wrong with the text, or with what it declares.
pub(crate) fn read(text: &str) -> Result<Program, String> {
    let mut tree = parser::parse(PRELUDE)?;
    let own = parser::parse(text)?;
    tree.types.extend(own.types);
    tree.functions.extend(own.functions);
    Program::new(tree)
}

fn run(file: &str, setting: Setting, stats: bool) -> Result<Outcome, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let program = read(&text).map_err(|error| format!("{file}: {error}"))?;
    let vm = Vm::new(program, setting, Box::new(std::io::stdout()));
    let vm = vm.map_err(|error| error.to_string())?;
    let outcome = vm.run().map_err(|error| error.to_string())?;
    if stats {
        eprintln!("classes loaded: {}", vm.loaded().join(", "));
        eprintln!("functions compiled: {}", vm.session.stats().functions_compiled);
        eprintln!("functions inlined: {}", vm.llvm.functions_inlined());
        eprintln!("collections: {}", vm.heap.collections());
        eprintln!("objects moved: {}", vm.heap.moved());
        eprintln!("functions' old code freed: {}", vm.heap.freed());
    }
    Ok(outcome)
}

fn main() -> ExitCode {
    let (mut file, mut stats) = (None, false);
    let mut setting = Setting { level: Level::O2, heap: 64 << 20 };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "-O0" => setting.level = Level::O0,
            "-O2" => setting.level = Level::O2,
            "--stats" => stats = true,
            other => match other.strip_prefix("--heap=").map(str::parse) {
                Some(Ok(bytes)) => setting.heap = bytes,
                _ => file = Some(argument),
            },
        }
    }
    let Some(file) = file else {
        eprintln!("objects [-O0 | -O2] [--heap=BYTES] [--stats] PROGRAM.obj");
        return ExitCode::from(2);
    };
    match run(&file, setting, stats) {
        Ok(Outcome::Returned(code)) => ExitCode::from(code as u8),
        Ok(Outcome::Uncaught(class)) => {
            eprintln!("objects: uncaught {class}");
            ExitCode::FAILURE
        }
        Err(what) => {
            eprintln!("objects: {what}");
            ExitCode::from(2)
        }
    }
}
