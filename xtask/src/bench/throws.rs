//! What it costs to throw, to walk a stack, to stop threads and to collect.

use anyhow::Result;

use super::Bench;
use super::library::{lines_of, nanoseconds};
use super::measure::{quotient, show};
use super::report::{Goal, Table};

/// How many functions are linked beside those that are measured; the last is what the goal is for.
const FUNCTIONS: [u32; 2] = [100, 10_000];
/// How the program marks what it did by the system's unwinder.
const SYSTEM: &str = ", system";

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "Throwing, walking, stopping and collecting",
        "By a program that runs compiled code: throw and catch through so many frames, by the \
         virtual machine's own walk and tables, and beside it by `_Unwind_RaiseException` with a \
         personality routine that only looks its landing pad up; a stack walk, for each frame; \
         stopping threads until all stand still, and letting them go on. The best of many runs; of \
         stopping threads that run, the median. A collection moves trees of objects of 32 bytes, kept by \
         references in the frames of compiled code alone, to the other half of the heap.",
        &["functions", "what", "of", "time", "system", "system / ours", "goal"],
    );
    let chosen = if bench.quick { &FUNCTIONS[..1] } else { &FUNCTIONS };
    for &functions in chosen {
        let lines = lines_of("vmkit-llvm", "throws", &[functions.to_string()])?;
        for line in lines.iter().filter(|line| !line.what.ends_with(SYSTEM)) {
            let name = line.what.clone() + SYSTEM;
            let mut others = lines.iter();
            let other = others.find(|other| other.what == name && other.count == line.count);
            let other = other.map(|other| other.nanoseconds);
            let ratio = quotient(other, Some(line.nanoseconds));
            let mut row = vec![
                functions.to_string(),
                line.what.clone(),
                line.count.clone(),
                nanoseconds(line.nanoseconds),
                other.map_or("-".into(), nanoseconds),
                show(ratio),
            ];
            if functions == FUNCTIONS[1] && other.is_some() {
                let what = format!("a throw through {} frames: system / ours", line.count);
                row.push(table.judge(&what, ratio, &show(ratio), Goal::AtLeast(10.0)));
            }
            table.row(row);
        }
    }
    for line in lines_of("vmkit-llvm", "collect", &[])? {
        table.row(vec!["-".into(), line.what, line.count, nanoseconds(line.nanoseconds)]);
    }
    Ok(table)
}
