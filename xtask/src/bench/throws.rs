//! What it costs to throw, to walk a stack and to stop threads.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::measure::{quotient, show};
use super::report::{Goal, Table};
use crate::{place, process};

/// How many functions are linked beside those that are measured; the last is what the goal is for.
const FUNCTIONS: [u32; 2] = [100, 10_000];
/// Building included.
const LIMIT: Duration = Duration::from_secs(900);
/// How the program marks what it did by the system's unwinder.
const SYSTEM: &str = ", system";

/// What was measured, with how many frames or threads, and nanoseconds.
struct Line {
    what: String,
    count: String,
    nanoseconds: f64,
}

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "Throwing, walking and stopping",
        "By a program that runs compiled code: throw and catch through so many frames, by the \
         virtual machine's own walk and tables, and beside it by `_Unwind_RaiseException` with a \
         personality routine that only looks its landing pad up; a stack walk, for each frame; \
         stopping threads until all stand still, and letting them go on. The best of many runs; of \
         stopping threads that run, the median.",
        &["functions", "what", "frames or threads", "time", "system", "system / ours", "goal"],
    );
    let chosen = if bench.quick { &FUNCTIONS[..1] } else { &FUNCTIONS };
    for &functions in chosen {
        let lines = lines(functions)?;
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
    Ok(table)
}

fn lines(functions: u32) -> Result<Vec<Line>> {
    let mut command = Command::new(place::cargo());
    command.args(["bench", "-q", "-p", "vmkit-llvm", "--bench", "throws", "--"]);
    command.arg(functions.to_string()).current_dir(place::root());
    let outcome = process::run(&mut command, LIMIT)?;
    ensure!(outcome.is_success(), "the benchmark of throws: {}", outcome.cause());
    parse(&String::from_utf8(outcome.stdout)?)
}

fn parse(text: &str) -> Result<Vec<Line>> {
    let line = |line: &str| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().with_context(|| format!("{line}: too few cells"));
        let (what, count) = (cell()?.to_owned(), cell()?.to_owned());
        Ok(Line { what, count, nanoseconds: cell()?.parse().context("no time")? })
    };
    text.lines().map(line).collect()
}

fn nanoseconds(nanoseconds: f64) -> String {
    match nanoseconds {
        time if time < 1e3 => format!("{time:.0} ns"),
        time if time < 1e6 => format!("{:.1} µs", time / 1e3),
        time => format!("{:.1} ms", time / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let lines = parse("throw\t10\t1059\nwalk, a frame\t100\t116.2\n").unwrap();
        let cells: Vec<_> =
            lines.iter().map(|line| (&*line.what, &*line.count, line.nanoseconds)).collect();
        assert_eq!(cells, [("throw", "10", 1059.0), ("walk, a frame", "100", 116.2)]);
        assert!(parse("throw\t10\n").is_err());
        assert!(parse("throw\t10\tsoon\n").is_err());
    }

    #[test]
    fn times_have_a_unit() {
        let cells = [271.6, 1059.0, 14_306_024.0].map(nanoseconds);
        assert_eq!(cells, ["272 ns", "1.1 µs", "14.3 ms"]);
    }
}
