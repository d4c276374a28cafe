//! Threads that call different functions for the first time.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::measure::{Make, measure_in_turns, net, quotient, show};
use super::report::{Goal, Table};
use super::{Bench, generate};
use crate::engine::Engine;
use crate::units::seconds;

/// How many threads, and whether they are confined to one processor.
const SETTINGS: [(u32, bool); 4] = [(1, false), (2, false), (8, false), (1, true)];
const LEVELS: [&str; 2] = ["-O0", "-O2"];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let count = if bench.quick { 300 } else { 2_000 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut table = Table::new(
        &format!("First calls of {count} functions by several threads, on {cores} cores"),
        "The shortest wall time less that of the same program that calls none of them. They take \
         turns.",
        &[
            "level",
            "threads",
            "time",
            "functions a second",
            "one thread / these",
            "one on one processor / these",
            "goal",
        ],
    );
    let module = generate::first_calls(&bench.folder, count)?;
    let engine = Engine::vmkit(&[])?;
    for level in LEVELS {
        let times = times(bench, &engine, level, &module, count)?;
        for (&(threads, is_confined), &time) in SETTINGS.iter().zip(&times) {
            let (one, confined) = (quotient(times[0], time), quotient(times[3], time));
            let mut row = vec![
                level.into(),
                format!("{threads}{}", if is_confined { ", one processor" } else { "" }),
                time.map_or("-".into(), seconds),
                time.map_or("-".into(), |time| format!("{:.0}", count as f64 / time)),
                show(one),
                show(confined),
            ];
            if threads == 8 {
                let what = format!("first calls by 8 threads, {level}: one thread / these");
                row.push(table.judge(&what, one, &show(one), Goal::AtLeast(1.7)));
            }
            table.row(row);
        }
    }
    Ok(table)
}

/// The time that the first calls take in each setting.
fn times(
    bench: &Bench,
    engine: &Engine,
    level: &str,
    module: &PathBuf,
    count: usize,
) -> Result<Vec<Option<f64>>> {
    let mut commands: Vec<Make<'_>> = Vec::new();
    for (threads, is_confined) in SETTINGS {
        for calls in [count, 0] {
            let args = [threads.to_string(), calls.to_string()];
            let modules = std::slice::from_ref(module);
            commands.push(Box::new(move || {
                let command = engine.command(level, modules, &args);
                if is_confined { confined(&command) } else { command }
            }));
        }
    }
    let figures = measure_in_turns(bench.repeats, None, &commands)?;
    Ok(figures.chunks(2).map(|pair| net(pair[0].best(), pair[1].best())).collect())
}

/// The same command on the first processor alone.
fn confined(command: &Command) -> Command {
    let mut confined = Command::new("taskset");
    confined.args(["-c", "0"]).arg(command.get_program()).args(command.get_args());
    confined
}
