//! A small class-based language on vmkit:
//!
//! ```sh
//! cargo run --release -p vmkit-examples --example objects -- examples/objects/programs/collect.obj
//! ```
//!
//! `--backend llvm` and `--backend cranelift` choose the compiler. With the latter alone, no LLVM is
//! needed: `--no-default-features --features cranelift`.
//!
//! Classes are loaded when their first object is made, methods are compiled when they are first
//! called, and objects move. Read it in this order:
//!
//! 1. `syntax.rs` is the language, as text and as a tree; `program.rs` says where fields and methods
//!    are in memory.
//! 2. `vm.rs` makes a session. The session asks it what an undefined name is (`resolve`: a class is
//!    loaded, a function defined) and which method a call means (`dispatch`). `load` makes a class's
//!    dispatch table, and outdates code that took for granted that nobody overrides a method.
//! 3. `emit/mod.rs` says what one function does, when it is first called; `emit/exprs.rs` has direct,
//!    virtual and interface calls.
//! 4. `code/mod.rs` has the words that it says it in, and `code/llvm/` or `code/cranelift/` makes
//!    code of them: read the one you want to use. There are exceptions, references, polls, and the
//!    runtime with allocation's fast path, which becomes part of every function that makes objects
//!    (`llvm/runtime.ll`, `cranelift/runtime.rs`).
//! 5. `natives.rs` is what compiled code calls: the slow path, `throw`, `print`, threads.
//! 6. `heap.rs` is the collector: stops all threads, has the references in their frames replaced, which
//!    the kit finds by the compiler's stack maps, and moves all objects.
//!
//! `programs/` has programs to run, and says what they print.
//!
//! What it leaves out: strings, arrays and casts, locks, and a limit to recursion: a stack that
//! overflows ends the process.

pub(crate) mod code;
mod emit;
mod heap;
mod natives;
mod program;
mod syntax;
pub(crate) mod vm;

use std::error::Error;
use std::process::ExitCode;

use code::BACKENDS;
use program::{PRELUDE, Program};
use vm::{Outcome, Setting, Vm};

/// The program of a source text.
///
/// # Errors
///
/// What is wrong with the text, or with what it declares.
pub(crate) fn read(text: &str) -> Result<Program, String> {
    let mut program = Program::default();
    program.add(syntax::parse(PRELUDE)?)?;
    program.add(syntax::parse(text)?)?;
    Ok(program)
}

fn run(file: &str, setting: Setting, stats: bool) -> Result<Outcome, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let program = read(&text).map_err(|error| format!("{file}: {error}"))?;
    let vm = Vm::new(program, setting, Box::new(std::io::stdout()))?;
    let outcome = vm.run()?;
    if stats {
        eprintln!("classes loaded: {}", vm.loaded().join(", "));
        eprintln!("functions compiled: {}", vm.session.stats().functions_compiled);
        eprintln!("{:#?}", vm.heap.counts());
    }
    Ok(outcome)
}

/// What the command line asks for: a file, how to run it, and whether to print statistics.
pub(crate) fn read_arguments(
    mut arguments: impl Iterator<Item = String>,
) -> Option<(String, Setting, bool)> {
    let (mut file, mut stats) = (None, false);
    let mut setting = Setting { backend: BACKENDS[0].1, optimizes: true, heap: 64 << 20 };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--backend" => {
                let wanted = arguments.next()?;
                setting.backend = BACKENDS.iter().find(|(name, _)| *name == wanted)?.1;
            }
            "-O0" => setting.optimizes = false,
            "-O2" => setting.optimizes = true,
            "--stats" => stats = true,
            _ if argument.starts_with("--heap=") => setting.heap = argument[7..].parse().ok()?,
            _ => file = Some(argument),
        }
    }
    Some((file?, setting, stats))
}

fn main() -> ExitCode {
    let Some((file, setting, stats)) = read_arguments(std::env::args().skip(1)) else {
        let names = BACKENDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" | ");
        eprintln!("objects [--backend {names}] [-O0 | -O2] [--heap=BYTES] [--stats] PROGRAM.obj");
        return ExitCode::from(2);
    };
    let (what, code) = match run(&file, setting, stats) {
        Ok(Outcome::Returned(code)) => return ExitCode::from(code as u8),
        Ok(Outcome::Uncaught(class)) => (format!("uncaught {class}"), 1),
        Err(error) => (error.to_string(), 2),
    };
    eprintln!("objects: {what}");
    ExitCode::from(code)
}
