//! Threads that call different functions for the first time.

use std::path::PathBuf;

use anyhow::Result;

use super::measure::{Make, measure_in_turns, net, quotient, show};
use super::report::{Goal, Table};
use super::{Bench, generate};
use crate::engine::Engine;
use crate::units::seconds;

const THREADS: &[u32] = &[1, 2, 8];
const LEVELS: [&str; 2] = ["-O0", "-O2"];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let count = if bench.quick { 300 } else { 2_000 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut table = Table::new(
        &format!("First calls of {count} functions by several threads, on {cores} cores"),
        "The shortest wall time less that of the same program that calls none of them. They take \
         turns.",
        &["level", "threads", "time", "functions a second", "one thread / these", "goal"],
    );
    let module = generate::first_calls(&bench.folder, count)?;
    let engine = Engine::vmkit(&[])?;
    for level in LEVELS {
        let times = times(bench, &engine, level, &module, count)?;
        for (threads, &time) in THREADS.iter().zip(&times) {
            let faster = quotient(times[0], time);
            let mut row = vec![
                level.into(),
                threads.to_string(),
                time.map_or("-".into(), seconds),
                time.map_or("-".into(), |time| format!("{:.0}", count as f64 / time)),
                show(faster),
            ];
            if *threads == 8 {
                let what = format!("first calls by 8 threads, {level}: one thread / these");
                row.push(table.judge(&what, faster, &show(faster), Goal::AtLeast(1.7)));
            }
            table.row(row);
        }
    }
    Ok(table)
}

/// The time that the first calls take with each number of threads.
fn times(
    bench: &Bench,
    engine: &Engine,
    level: &str,
    module: &PathBuf,
    count: usize,
) -> Result<Vec<Option<f64>>> {
    let mut commands: Vec<Make<'_>> = Vec::new();
    for threads in THREADS {
        for calls in [count, 0] {
            let args = [threads.to_string(), calls.to_string()];
            let modules = std::slice::from_ref(module);
            commands.push(Box::new(move || engine.command(level, modules, &args)));
        }
    }
    let figures = measure_in_turns(bench.repeats, None, &commands)?;
    Ok(figures.chunks(2).map(|pair| net(pair[0].best(), pair[1].best())).collect())
}
