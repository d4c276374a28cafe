//! The project's own rules, checked over the source tree. Each rule is a file of this folder.
//!
//! A rule is a function from text to breaches, so that its tests need no files.

mod crates;
mod form;
mod layers;
mod paths;
mod safety;
mod source;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use source::Source;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Breach {
    path: String,
    line: usize,
    what: String,
    mend: String,
    /// A warning is printed and fails nothing.
    warning: bool,
}

impl Breach {
    fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Breach { path: path.into(), line, what: what.into(), mend: mend.into(), warning: false }
    }

    fn warning(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Breach { warning: true, ..Breach::new(path, line, what, mend) }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning: " } else { "" };
        write!(f, "{}:{}: {kind}{}\n    {}", self.path, self.line, self.what, self.mend)
    }
}

/// Prints every breach of the tree at `root`.
///
/// # Errors
///
/// When there is a breach that is not a mere warning, or the tree cannot be read.
pub(crate) fn run(root: &Path) -> Result<()> {
    let breaches = check_tree(root)?;
    for breach in &breaches {
        println!("{breach}");
    }
    let failures = breaches.iter().filter(|breach| !breach.warning).count();
    if failures > 0 {
        bail!("tidy: {failures} breaches");
    }
    println!("tidy: fine");
    Ok(())
}

fn check_tree(root: &Path) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for path in project_files(root)? {
        let Ok(text) = fs::read_to_string(root.join(&path)) else {
            continue; // not text, or deleted and not yet committed
        };
        breaches.extend(paths::check(&path, &text));
        if path == "ARCHITECTURE.md" {
            breaches.extend(form::check_architecture(&path, &text));
        } else if is_manifest(&path) {
            breaches.extend(crates::check(&path, &text));
        } else if is_source(&path) {
            breaches.extend(check_source(&path, &text));
        }
    }
    Ok(breaches)
}

fn check_source(path: &str, text: &str) -> Vec<Breach> {
    let source = match Source::parse(path, text) {
        Ok(source) => source,
        Err(breach) => return vec![breach],
    };
    let mut breaches = form::check(&source);
    breaches.extend(safety::check(&source));
    if path.starts_with("crates/vmkit/src/") {
        breaches.extend(layers::check(&source));
    }
    breaches
}

fn is_manifest(path: &str) -> bool {
    path.ends_with("/Cargo.toml") && (path.starts_with("crates/") || path.starts_with("xtask/"))
}

fn is_source(path: &str) -> bool {
    let in_crate = path.starts_with("crates/") && path.contains("/src/");
    path.ends_with(".rs") && (in_crate || path.starts_with("xtask/src/"))
}

/// What git tracks or would track, relative to `root`, with `/` between names.
fn project_files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output();
    if let Ok(output) = output
        && output.status.success()
    {
        let list = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut files: Vec<String> =
            list.split('\0').filter(|f| !f.is_empty()).map(Into::into).collect();
        files.sort();
        return Ok(files);
    }
    // An unpacked source archive has no git.
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort();
    Ok(files)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path: PathBuf = entry?.path();
        let relative = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            if relative != "target" && relative != ".git" {
                walk(root, &path, files)?;
            }
        } else {
            files.push(relative);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let breaches = check_tree(root).unwrap();
        let failures: Vec<String> =
            breaches.iter().filter(|b| !b.warning).map(ToString::to_string).collect();
        assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    }

    #[test]
    fn what_does_not_lex_is_a_breach() {
        let breaches = check_source("crates/vmkit/src/error.rs", "fn f( {");
        assert_eq!(breaches.len(), 1);
        assert_eq!((breaches[0].line, breaches[0].warning), (1, false));
    }

    #[test]
    fn a_breach_says_where_what_and_how_to_mend_it() {
        let breach = Breach::new("a.rs", 3, "is wrong", "do right");
        assert_eq!(breach.to_string(), "a.rs:3: is wrong\n    do right");
    }
}
