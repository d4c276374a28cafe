//! One measured figure: a program run a few times.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::{self, End, Outcome};
use crate::units::seconds;

const LIMIT: Duration = Duration::from_secs(120);
/// No further run of a program starts when its runs have taken so long.
const PATIENCE: Duration = Duration::from_secs(12);

/// The runs of one program that all succeeded, or why one did not.
#[derive(Debug, Clone)]
pub(super) enum Figure {
    Runs { median: f64, best: f64, peak_rss: u64 },
    Failed(String),
}

impl Figure {
    /// The median of the wall time in seconds.
    pub(super) fn median(&self) -> Option<f64> {
        match *self {
            Figure::Runs { median, .. } => Some(median),
            Figure::Failed(_) => None,
        }
    }

    /// The shortest wall time in seconds; for loops, where all else is disturbance.
    pub(super) fn best(&self) -> Option<f64> {
        match *self {
            Figure::Runs { best, .. } => Some(best),
            Figure::Failed(_) => None,
        }
    }

    /// The median of the peak resident size in bytes.
    pub(super) fn peak_rss(&self) -> Option<u64> {
        match *self {
            Figure::Runs { peak_rss, .. } => Some(peak_rss),
            Figure::Failed(_) => None,
        }
    }

    /// Time and peak memory for a table.
    pub(super) fn with_memory(&self) -> String {
        match self.peak_rss() {
            Some(bytes) => format!("{}, {}", self.time(), megabytes(bytes)),
            None => self.time(),
        }
    }

    /// Time for a table.
    pub(super) fn time(&self) -> String {
        match self {
            Figure::Runs { median, .. } => seconds(*median),
            Figure::Failed(why) => why.clone(),
        }
    }
}

/// Makes the command of one run.
pub(super) type Make<'a> = Box<dyn Fn() -> Command + 'a>;

/// Runs what `command` makes up to `repeats` times; `expected` is what it must print, if known.
///
/// # Errors
///
/// When the program cannot be started at all.
pub(super) fn measure(
    repeats: usize,
    expected: Option<&[u8]>,
    command: impl Fn() -> Command,
) -> Result<Figure> {
    Ok(measure_in_turns(repeats, expected, &[Box::new(command)])?.remove(0))
}

/// As [`measure`] for several programs that take turns, so that what disturbs the machine for a
/// while disturbs them all.
///
/// # Errors
///
/// When a program cannot be started at all.
pub(super) fn measure_in_turns(
    repeats: usize,
    expected: Option<&[u8]>,
    commands: &[Make<'_>],
) -> Result<Vec<Figure>> {
    let mut series = vec![Series::default(); commands.len()];
    for _ in 0..repeats {
        for (series, command) in series.iter_mut().zip(commands) {
            if series.failure.is_none() && series.spent < PATIENCE {
                series.run(&mut command(), expected)?;
            }
        }
    }
    Ok(series.into_iter().map(Series::figure).collect())
}

/// The runs of one program so far.
#[derive(Debug, Clone, Default)]
struct Series {
    walls: Vec<f64>,
    peaks: Vec<u64>,
    spent: Duration,
    failure: Option<String>,
}

impl Series {
    fn run(&mut self, command: &mut Command, expected: Option<&[u8]>) -> Result<()> {
        let outcome = process::run(command, LIMIT)?;
        self.failure = failure(&outcome, expected);
        self.walls.push(outcome.wall.as_secs_f64());
        self.spent += outcome.wall;
        self.peaks.push(outcome.peak_rss);
        Ok(())
    }

    fn figure(mut self) -> Figure {
        if let Some(why) = self.failure {
            return Figure::Failed(why);
        }
        self.walls.sort_by(f64::total_cmp);
        self.peaks.sort_unstable();
        let middle = self.walls.len() / 2;
        Figure::Runs {
            median: self.walls[middle],
            best: self.walls[0],
            peak_rss: self.peaks[middle],
        }
    }
}

fn failure(outcome: &Outcome, expected: Option<&[u8]>) -> Option<String> {
    match outcome.end {
        End::TimedOut => Some(format!("> {} s", LIMIT.as_secs())),
        End::Signal(_) => Some(format!("crashes ({})", outcome.end)),
        End::Exit(0) if expected.is_none_or(|expected| outcome.stdout == expected) => None,
        End::Exit(0) => Some("wrong output".into()),
        End::Exit(code) => Some(format!("fails (exit {code})")),
    }
}

/// How much longer `all` took than `none` did; nothing where the difference drowns in noise.
pub(super) fn net(all: Option<f64>, none: Option<f64>) -> Option<f64> {
    Some(all? - none?).filter(|&difference| difference > 0.0)
}

/// `part / whole`, where both were measured.
pub(super) fn quotient(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    Some(part? / whole.filter(|&whole| whole > 0.0)?)
}

/// A ratio for a table.
pub(super) fn show(ratio: Option<f64>) -> String {
    ratio.map_or("-".into(), |ratio| format!("{ratio:.3}"))
}

/// A size for a table.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / f64::from(1 << 20))
}

/// The middle one of `figures`, where there are any.
pub(super) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, expected: Option<&[u8]>, cell: &str) {
        let figure = measure(3, expected, || {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        });
        let time = figure.unwrap().time();
        assert!(time.contains(cell), "{time}");
    }

    #[test]
    fn failures_are_told() {
        check("sleep 0.01; echo a", Some(b"a\n"), "ms");
        check("echo b", Some(b"a\n"), "wrong output");
        check("exit 3", None, "fails (exit 3)");
        check("kill -SEGV $$", None, "crashes (SIGSEGV)");
    }

    #[test]
    fn ratios_need_both_figures() {
        assert_eq!(show(quotient(Some(1.0), Some(8.0))), "0.125");
        assert_eq!(show(quotient(None, Some(8.0))), "-");
        assert_eq!((net(Some(3.0), Some(1.0)), net(Some(1.0), Some(3.0))), (Some(2.0), None));
    }
}
