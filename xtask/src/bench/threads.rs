//! Threads that call different functions for the first time.

use anyhow::Result;

use super::measure::{measure, net, ratio, seconds};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;

const THREADS: &[u32] = &[1, 2, 8];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let count = if bench.quick { 300 } else { 2_000 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut table = Table::new(
        &format!("First calls of {count} functions by several threads, on {cores} cores"),
        "Wall time less that of the same program that calls none of them.",
        &["threads", "vmkit -O0", "vmkit", "one thread / these: -O0", "default", "goal"],
    );
    let module = generate::first_calls(&bench.folder, count)?;
    let engines = [Engine::vmkit(&["-O0"])?, Engine::vmkit(&[])?];
    let time = |engine: &Engine, threads: u32, calls: usize| {
        let args = [threads.to_string(), calls.to_string()];
        let modules = std::slice::from_ref(&module);
        measure(bench.repeats, None, || engine.command("", modules, &args))
    };
    let mut one = [None, None];
    for &threads in THREADS {
        let mut cells = vec![threads.to_string()];
        let mut speedups = Vec::new();
        for (engine, one) in engines.iter().zip(&mut one) {
            let (all, none) = (time(engine, threads, count)?, time(engine, threads, 0)?);
            let net = net(all.seconds(), none.seconds());
            *one = one.or(net);
            cells.push(net.map_or_else(|| all.time(), seconds));
            speedups.push(ratio(*one, net));
        }
        cells.extend(speedups);
        cells.push(if threads == 8 { "1.700".into() } else { "-".into() });
        table.row(cells);
    }
    Ok(table)
}
