//! The tables, their goals, and where they go.

use std::fmt::{self, Write as _};
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, process};

const BEGIN: &str = "<!-- table:begin -->";
const END: &str = "<!-- table:end -->";

/// What a figure is to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    fn verdict(self, figure: Option<f64>) -> &'static str {
        match (self, figure) {
            (_, None) => "not measured",
            (Goal::AtMost(most), Some(figure)) if figure <= most => "met",
            (Goal::AtLeast(least), Some(figure)) if figure >= least => "met",
            _ => "missed",
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::AtMost(most) => write!(f, "≤ {most}"),
            Goal::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// A table with a title and what it means.
#[derive(Debug)]
pub(super) struct Table {
    title: String,
    about: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Rows of the summary.
    judged: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: &str, about: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Table {
            title: title.into(),
            about: about.into(),
            head,
            rows: Vec::new(),
            judged: Vec::new(),
        }
    }

    /// Adds a row, which is also shown as progress on standard error.
    pub(super) fn row(&mut self, mut cells: Vec<String>) {
        eprintln!("bench: {}: {}", self.title, cells.join(" | "));
        cells.resize(self.head.len(), "-".into());
        self.rows.push(cells);
    }

    /// Adds `figure`, which `shown` is in words, to the summary; returns the goal for a cell.
    pub(super) fn judge(
        &mut self,
        what: &str,
        figure: Option<f64>,
        shown: &str,
        goal: Goal,
    ) -> String {
        let verdict = goal.verdict(figure);
        let cells = [what, shown, &goal.to_string(), verdict];
        self.judged.push(cells.map(str::to_owned).to_vec());
        format!("{goal}, {verdict}")
    }

    /// The table in Markdown.
    pub(super) fn markdown(&self) -> String {
        format!("### {}\n\n{}\n\n{}", self.title, self.about, markdown(&self.head, &self.rows))
    }
}

/// All goals, then the tables, in Markdown.
pub(super) fn markdown_of(tables: &[Table]) -> String {
    let head = ["figure", "measured", "goal", ""].map(str::to_owned);
    let judged: Vec<_> = tables.iter().flat_map(|table| table.judged.clone()).collect();
    let mut text = format!("### Goals\n\n{}", markdown(&head, &judged));
    for table in tables {
        let _ = write!(text, "\n{}", table.markdown());
    }
    text
}

fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let rule = vec!["---".to_owned(); head.len()];
    let lines = [head, &rule].into_iter().chain(rows.iter().map(Vec::as_slice));
    lines.map(|cells| format!("| {} |\n", cells.join(" | "))).collect()
}

/// When, on what and with what the figures were measured.
pub(super) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("an unknown processor", |rest| rest.trim_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
    let memory = kilobytes.map_or("?".into(), |kilobytes| (kilobytes >> 20).to_string());
    format!(
        "Measured on {}: {cores} cores ({model}), {memory} GB, load average {} at the start; \
         bitcode made by {}.\n",
        first_line("date", &["-u", "+%F"]),
        load_average().map_or("?".into(), |load| load.to_string()),
        first_line("clang-22", &["--version"]),
    )
}

/// How many processes wanted to run in the last minute.
pub(super) fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn first_line(program: &str, args: &[&str]) -> String {
    let output = process::output(Command::new(program).args(args)).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned()
}

/// Puts `text` between the markers of docs/benchmarks.md.
///
/// # Errors
///
/// When the file or its markers are not there.
pub(super) fn publish(text: &str) -> Result<()> {
    let path = place::root().join("docs/benchmarks.md");
    let page = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let page = replace(&page, text)
        .with_context(|| format!("{}: no {BEGIN} before {END}", path.display()))?;
    Ok(fs::write(path, page)?)
}

fn replace(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{text}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let expected = format!("a\n{BEGIN}\n\nnew\n{END}\nb\n");
        assert_eq!(replace(&page, "new"), Some(expected));
        assert_eq!(replace("no markers", "new"), None);
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new("T", "About.", &["a", "b"]);
        table.row(vec!["1".into()]);
        let expected = "### T\n\nAbout.\n\n| a | b |\n| --- | --- |\n| 1 | - |\n";
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn goals_are_judged() {
        let mut table = Table::new("T", "About.", &["a"]);
        let mut check = |figure, goal, expected| {
            assert_eq!(table.judge("what", figure, "1.0", goal), expected);
        };
        check(Some(0.1), Goal::AtMost(0.125), "≤ 0.125, met");
        check(Some(0.2), Goal::AtMost(0.125), "≤ 0.125, missed");
        check(Some(1.6), Goal::AtLeast(1.7), "≥ 1.7, missed");
        check(None, Goal::AtLeast(1.7), "≥ 1.7, not measured");
        assert!(markdown_of(&[table]).contains("| what | 1.0 | ≥ 1.7 | missed |\n"));
    }
}
