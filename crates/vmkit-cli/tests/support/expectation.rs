//! Compares what a program did with what its header expects.

use similar::TextDiff;

use super::header::{Header, StatBound};
use super::process::{End, Outcome};
use super::variant::{Finished, Variant};

/// The longest standard error that a report shows, in bytes.
const SHOWN: usize = 4000;

/// Nothing, or a report of all differences.
pub(crate) fn check(header: &Header, variant: Variant, finished: &Finished) -> Result<(), String> {
    let outcome = &finished.outcome;
    let mut faults = Vec::new();
    if outcome.end != header.end {
        faults.push(format!("expected {}, but it {}", describe(header.end), describe(outcome.end)));
    }
    if outcome.stdout != header.stdout.as_bytes() {
        faults.push(diff(&header.stdout, &String::from_utf8_lossy(&outcome.stdout)));
    }
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    // What vmkit says of an error is not what a native program says.
    let missing = header
        .stderr
        .iter()
        .filter(|wanted| variant != Variant::Native && !stderr.contains(*wanted));
    faults.extend(missing.map(|wanted| format!("standard error lacks `{wanted}`")));
    if variant.has_stats() {
        faults.extend(stat_faults(variant, header, finished.stats.as_deref()));
    }
    if faults.is_empty() { Ok(()) } else { Err(report(outcome, &faults)) }
}

fn stat_faults(variant: Variant, header: &Header, stats: Option<&str>) -> Vec<String> {
    if header.stats.is_empty() {
        return Vec::new();
    }
    let parsed = stats.map(serde_json::from_str::<serde_json::Value>);
    let Some(Ok(stats)) = parsed else {
        return vec![format!("no readable statistics: {parsed:?}")];
    };
    let fault = |bound: &StatBound| match stats.get(&bound.key).and_then(|value| value.as_f64()) {
        Some(value) if bound.holds(value) => None,
        value => {
            Some(format!("{} is {value:?}, expected {} {}", bound.key, bound.operator, bound.bound))
        }
    };
    let is_meant =
        |bound: &&StatBound| bound.variant.as_deref().is_none_or(|meant| meant == variant.name());
    header.stats.iter().filter(is_meant).filter_map(fault).collect()
}

fn describe(end: End) -> String {
    match end {
        End::Exit(code) => format!("exited with {code}"),
        End::Signal(signal) => format!("was killed by signal {signal}"),
        End::TimeOut => "did not end in time".to_owned(),
    }
}

fn diff(expected: &str, actual: &str) -> String {
    let diff = TextDiff::from_lines(expected, actual);
    diff.unified_diff().context_radius(3).header("expected", "standard output").to_string()
}

/// The command, the faults and the end of standard error.
fn report(outcome: &Outcome, faults: &[String]) -> String {
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    let start = stderr.ceil_char_boundary(stderr.len().saturating_sub(SHOWN));
    let mut report = format!("$ {}\n{}", outcome.command, faults.join("\n"));
    if !stderr.is_empty() {
        report.push_str("\n--- standard error\n");
        report.push_str(&stderr[start..]);
    }
    report
}
