//! The tables, and where they go.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, process};

const BEGIN: &str = "<!-- table:begin -->";
const END: &str = "<!-- table:end -->";

/// A table with a title and what it means.
#[derive(Debug)]
pub(super) struct Table {
    title: String,
    about: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: &str, about: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Table { title: title.into(), about: about.into(), head, rows: Vec::new() }
    }

    /// Adds a row, which is also shown as progress on standard error.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        eprintln!("bench: {}: {}", self.title, cells.join(" | "));
        self.rows.push(cells);
    }

    /// The table in Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n{}\n\n", self.title, self.about);
        let rule = vec!["---".to_owned(); self.head.len()];
        for cells in [&self.head, &rule].into_iter().chain(&self.rows) {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }
}

/// What the figures were measured on and with.
pub(super) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("an unknown processor", |rest| rest.trim_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let clang = process::output(Command::new("clang-22").arg("--version")).unwrap_or_default();
    let clang = String::from_utf8_lossy(&clang);
    let clang = clang.lines().next().unwrap_or_default();
    format!("Measured on {model}, {cores} cores; programs compiled by {clang} at -O1.\n")
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
        table.row(vec!["1".into(), "2".into()]);
        let expected = "### T\n\nAbout.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n";
        assert_eq!(table.markdown(), expected);
    }
}
