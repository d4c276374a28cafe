//! Reading and answering, line by line.

use std::fmt::Display;
use std::io::{self, Write};

use crate::machine::Machine;
use crate::parser::{Precedences, Trouble, first_item};

/// What there is to type.
const COMMANDS: &str = "\
def f(x y) ...        define a function, or define it anew
def unary! (x) ...    an operator; also: def binary| 5 (x y) ...
extern sin(x)         a function of the C library, or putchar, or print
:why f                what is part of f's code, and for what it was compiled anew
:explain f            where f stands
:stats                what was done so far
:quit";

/// A conversation.
pub(crate) struct Repl {
    machine: Machine,
    precedences: Precedences,
    /// The beginning of an item whose end is still to come.
    pending: String,
}

/// Whether it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// With another item.
    Item,
    /// With the rest of one.
    Rest,
    Quit,
}

impl Repl {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, precedences: Precedences::new(), pending: String::new() }
    }

    /// Answers a line.
    ///
    /// # Errors
    ///
    /// The answer cannot be written.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<Next> {
        if self.pending.trim().is_empty()
            && let Some(command) = line.trim().strip_prefix(':')
        {
            return self.command(command);
        }
        self.pending.push_str(line);
        self.pending.push('\n');
        loop {
            match first_item(&self.pending, &mut self.precedences) {
                Ok(Some((item, end))) => {
                    self.pending.drain(..end);
                    match self.machine.run(item) {
                        Ok(Some(value)) => say(format_args!("= {value}"))?,
                        Ok(None) => {}
                        Err(error) => say(format_args!("error: {error}"))?,
                    }
                }
                Ok(None) => {
                    self.pending.clear();
                    return Ok(Next::Item);
                }
                Err(Trouble::Incomplete) => return Ok(Next::Rest),
                Err(Trouble::Wrong(what)) => {
                    self.pending.clear();
                    say(format_args!("error: {what}"))?;
                    return Ok(Next::Item);
                }
            }
        }
    }

    /// Forgets what was begun.
    pub(crate) fn cancel(&mut self) {
        self.pending.clear();
    }

    /// Says so if an item was begun and nothing comes any more.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn end(&self) -> io::Result<()> {
        match self.pending.trim() {
            "" => Ok(()),
            _ => say("error: the end is missing"),
        }
    }

    fn command(&self, command: &str) -> io::Result<Next> {
        let (word, name) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match (word, name.trim()) {
            ("quit", "") => return Ok(Next::Quit),
            ("stats", "") => say(self.machine.stats())?,
            ("help", "") => say(COMMANDS)?,
            ("why", name) if !name.is_empty() => say(self.machine.why(name))?,
            ("explain", name) if !name.is_empty() => say(self.machine.explain(name))?,
            _ => say("error: no such command; :help lists them")?,
        }
        Ok(Next::Item)
    }
}

fn say(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}
