//! Threads that call different functions for the first time.

use std::path::PathBuf;

use anyhow::Result;

use super::measure::{Make, measure_in_turns, net, ratio, seconds};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;

const THREADS: &[u32] = &[1, 2, 8];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let count = if bench.quick { 300 } else { 2_000 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut table = Table::new(
        &format!("First calls of {count} functions by several threads, on {cores} cores"),
        "The shortest wall time less that of the same program that calls none of them. Thread counts take \
         turns.",
        &["threads", "vmkit -O0", "vmkit", "one thread / these: -O0", "default", "goal"],
    );
    let module = generate::first_calls(&bench.folder, count)?;
    let engines = [Engine::vmkit(&["-O0"])?, Engine::vmkit(&[])?];
    let times = engines.each_ref().map(|engine| times(bench, engine, &module, count));
    let [plain, default] = times;
    let (plain, default) = (plain?, default?);
    for (index, threads) in THREADS.iter().enumerate() {
        let show = |times: &[Option<f64>]| times[index].map_or("-".into(), seconds);
        table.row(vec![
            threads.to_string(),
            show(&plain),
            show(&default),
            ratio(plain[0], plain[index]),
            ratio(default[0], default[index]),
            if *threads == 8 { "1.700".into() } else { "-".into() },
        ]);
    }
    Ok(table)
}

/// The time that the first calls take with each number of threads.
fn times(
    bench: &Bench,
    engine: &Engine,
    module: &PathBuf,
    count: usize,
) -> Result<Vec<Option<f64>>> {
    let mut commands: Vec<Make<'_>> = Vec::new();
    for threads in THREADS {
        for calls in [count, 0] {
            let args = [threads.to_string(), calls.to_string()];
            let modules = std::slice::from_ref(module);
            commands.push(Box::new(move || engine.command("", modules, &args)));
        }
    }
    let figures = measure_in_turns(bench.repeats, None, &commands)?;
    Ok(figures.chunks(2).map(|pair| net(pair[0].best(), pair[1].best())).collect())
}
