//! One golden test: a file of assembly with directives before it and the expectation after it.
//!
//! ```text
//! # about: what it shows
//! # extern: name 0x7000
//! # reach: 65536
//!         call name
//!
//! #| what is expected
//! ```

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use vmkit::graph::LinkGraph;
use vmkit::{Addr, ScopeId};

use crate::after;

/// What stands before each line of the expectation.
const MARK: &str = "#|";

/// What the directives say.
#[derive(Default)]
pub(crate) struct Directives {
    /// Names that lie at fixed addresses.
    pub(crate) externs: Vec<(String, Addr)>,
    /// How far displacements reach, in bytes.
    pub(crate) reach: Option<u64>,
}

/// Compares what becomes of a file with what it expects.
pub(crate) fn check(file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let (source, expected) = split(&text);
    let directives = Directives::parse(source)?;
    let object = assemble(file)?;
    let found = outcome(&directives, &object);
    if found == expected {
        return Ok(());
    }
    if env::var_os("VMKIT_BLESS").is_some() {
        return fs::write(file, join(source, &found)).map_err(|error| error.to_string());
    }
    Err(format!("VMKIT_BLESS=1 accepts what was found\n{}", difference(&expected, &found)))
}

/// The graph as read, and as linked.
fn outcome(directives: &Directives, object: &[u8]) -> String {
    let graph = LinkGraph::from_elf(&"input.o".into(), ScopeId::GLOBAL, object);
    let before = graph.map_or_else(|error| format!("error: {error}\n"), |graph| graph.to_string());
    format!("before\n{before}\nafter\n{}", after::link(directives, object))
}

impl Directives {
    fn parse(source: &str) -> Result<Self, String> {
        let mut directives = Self::default();
        let mut has_about = false;
        for line in source.lines().map_while(|line| line.strip_prefix("# ")) {
            let bad = || format!("no directive: {line}");
            match line.split_once(": ").ok_or_else(bad)? {
                ("about", _) => has_about = true,
                ("extern", value) => {
                    let (name, address) = value.split_once(" 0x").ok_or_else(bad)?;
                    let address = u64::from_str_radix(address, 16).map_err(|_| bad())?;
                    directives.externs.push((name.into(), Addr(address)));
                }
                ("reach", value) => directives.reach = Some(value.parse().map_err(|_| bad())?),
                _ => return Err(bad()),
            }
        }
        if has_about { Ok(directives) } else { Err("no `# about:` line".into()) }
    }
}

fn assemble(file: &Path) -> Result<Vec<u8>, String> {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(file.file_name().expect("a file"))
        .with_extension("o");
    let mut command = Command::new("clang-22");
    command.args(["--target=x86_64-linux-gnu", "-c"]).arg(file).arg("-o").arg(&output);
    let result = command.output().map_err(|error| format!("clang-22: {error}"))?;
    if !result.status.success() {
        return Err(String::from_utf8_lossy(&result.stderr).into_owned());
    }
    fs::read(&output).map_err(|error| error.to_string())
}

/// The assembly, and what it expects.
fn split(text: &str) -> (&str, String) {
    let end = text.find(MARK).unwrap_or(text.len());
    let expected = text[end..].lines().map(|line| {
        let line = line.strip_prefix(MARK).unwrap_or(line);
        format!("{}\n", line.strip_prefix(' ').unwrap_or(line))
    });
    (text[..end].trim_end(), expected.collect())
}

fn join(source: &str, expected: &str) -> String {
    let lines = expected.lines().map(|line| match line {
        "" => format!("{MARK}\n"),
        line => format!("{MARK} {line}\n"),
    });
    format!("{source}\n\n{}", lines.collect::<String>())
}

/// The lines that differ, from the first to the last.
fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(old, new)| old == new).count()
    };
    let start = same(&mut old.iter().zip(&new));
    let most = old.len().min(new.len()) - start;
    let end = same(&mut old.iter().rev().zip(new.iter().rev())).min(most);
    let part = |lines: &[&str], mark: &str| {
        let lines = &lines[start..lines.len() - end];
        lines.iter().map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    part(&old, "-") + &part(&new, "+")
}
