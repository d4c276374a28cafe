//! The language Kaleidoscope, of LLVM's tutorial, as a conversation: functions are compiled at their
//! first call, inlined into one another, and can be defined anew at any time.
//!
//! ```sh
//! cargo run --release -p vmkit-examples --example kaleidoscope
//! ```
//!
//! An argument chooses the compiler: `-- llvm` or `-- cranelift`. With the latter alone, no LLVM is
//! needed: `--no-default-features --features cranelift`.
//!
//! An item ends where the line does, unless something is missing; `;` ends it earlier. `:help` lists
//! the commands.

mod backend;
mod lexer;
mod machine;
mod names;
mod parser;
mod repl;
mod syntax;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};

use crate::backend::BACKENDS;
use crate::machine::Machine;
use crate::repl::{Next, Repl};

fn main() -> ExitCode {
    // A thread whose stack is as large as the machine counts on.
    let thread = thread::Builder::new()
        .stack_size(machine::STACK)
        .spawn(|| run().inspect_err(|error| eprintln!("kaleidoscope: {error}")).is_ok());
    match thread.map(JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1);
    let chosen = BACKENDS.iter().find(|(name, _)| wanted.as_deref().is_none_or(|w| w == *name));
    let Some((_, make)) = chosen else {
        let names: Vec<_> = BACKENDS.iter().map(|(name, _)| *name).collect();
        return Err(format!("usage: kaleidoscope [{}]", names.join(" | ")).into());
    };
    let repl = Repl::new(Machine::new(*make)?);
    match io::stdin().is_terminal() {
        true => converse(repl),
        false => read(repl),
    }
}

/// Answers what comes from a file or a pipe.
fn read(mut repl: Repl) -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lines() {
        if repl.line(&line?)? == Next::Quit {
            return Ok(());
        }
    }
    Ok(repl.end()?)
}

/// Answers somebody at a terminal.
fn converse(mut repl: Repl) -> Result<(), Box<dyn Error>> {
    let mut editor = Editor::<(), _>::with_history(Config::default(), MemHistory::new())?;
    let mut next = Next::Item;
    while next != Next::Quit {
        let prompt = if next == Next::Item { "> " } else { "| " };
        match editor.readline(prompt) {
            Ok(line) => {
                editor.add_history_entry(line.as_str())?;
                next = repl.line(&line)?;
            }
            Err(ReadlineError::Interrupted) => {
                repl.cancel();
                next = Next::Item;
            }
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
