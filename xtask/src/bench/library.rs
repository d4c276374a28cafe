//! Programs that measure the library from within: the crates' own benches, which print a figure a line.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{place, process};

/// Building included.
const LIMIT: Duration = Duration::from_secs(900);

/// What was measured, with how many of something, and nanoseconds.
pub(super) struct Line {
    pub(super) what: String,
    pub(super) count: String,
    pub(super) nanoseconds: f64,
}

/// What a bench of a crate prints.
pub(super) fn lines_of(package: &str, bench: &str, arguments: &[String]) -> Result<Vec<Line>> {
    let mut command = Command::new(place::cargo());
    command.args(["bench", "-q", "-p", package, "--bench", bench, "--"]);
    command.args(arguments).current_dir(place::root());
    run(command)
}

/// What a program prints.
pub(super) fn run(mut command: Command) -> Result<Vec<Line>> {
    let outcome = process::run(&mut command, LIMIT)?;
    ensure!(outcome.is_success(), "{command:?}: {}", outcome.cause());
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

/// A time for people.
pub(super) fn nanoseconds(nanoseconds: f64) -> String {
    match nanoseconds {
        time if time < 10.0 => format!("{time:.2} ns"),
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
        let cells = [0.291, 271.6, 1059.0, 14_306_024.0].map(nanoseconds);
        assert_eq!(cells, ["0.29 ns", "272 ns", "1.1 µs", "14.3 ms"]);
    }
}
