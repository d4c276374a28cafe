//! One golden test: a file of assembly with directives before it and the expectation after it.
//!
//! ```text
//! # about: what it shows
//! # extern: name 0x7000
//! # reach: 65536
//! # lld: --no-relax
//!         call name
//!
//! #| what is expected
//! ```
//!
//! The name of its folder says what it is assembled for: what runs here, or what is only linked, and
//! compared with what `ld.lld` makes of it with these options (`none`: not at all). Files of LLVM's
//! representation (`.ll`) have `;` in place of `#`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use vmkit::graph::LinkGraph;
use vmkit::{Addr, ScopeId};

use crate::{after, image};

/// What stands before each line of the expectation, and before directives.
const MARK: &str = "#|";
const MARK_IN_LLVM: &str = ";|";

/// What the directives say.
#[derive(Default)]
pub(crate) struct Directives {
    /// Names that lie at fixed addresses.
    pub(crate) externs: Vec<(String, Addr)>,
    /// How far displacements reach, in bytes.
    pub(crate) reach: Option<u64>,
    /// Options of `ld.lld`.
    pub(crate) lld: Option<String>,
}

/// Compares what becomes of a file with what it expects.
pub(crate) fn check(file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let is_llvm = file.extension().is_some_and(|extension| extension == "ll");
    let mark = if is_llvm { MARK_IN_LLVM } else { MARK };
    let (source, expected) = split(&text, mark);
    let directives = Directives::parse(source, &mark[..1])?;
    let folder = file.parent().and_then(Path::file_name).ok_or("a file in no folder")?;
    let isa = folder.to_string_lossy();
    let object = assemble(file, &isa, is_llvm)?;
    let found = outcome(&directives, &isa, &object)?;
    if found == expected {
        return Ok(());
    }
    if env::var_os("VMKIT_BLESS").is_some() {
        return fs::write(file, join(source, &found, mark)).map_err(|error| error.to_string());
    }
    Err(format!("VMKIT_BLESS=1 accepts what was found\n{}", difference(&expected, &found)))
}

/// The graph as read, and as linked.
fn outcome(directives: &Directives, isa: &str, object: &Path) -> Result<String, String> {
    let bytes = fs::read(object).map_err(|error| error.to_string())?;
    let graph = LinkGraph::from_elf(&"input.o".into(), ScopeId::GLOBAL, &bytes);
    let before = graph.map_or_else(|error| format!("error: {error}\n"), |graph| graph.to_string());
    let after = match isa {
        "x86_64" => after::link(directives, &bytes),
        _ => image::link(directives, object)?,
    };
    Ok(format!("before\n{before}\nafter\n{after}"))
}

impl Directives {
    fn parse(source: &str, comment: &str) -> Result<Self, String> {
        let mut directives = Self::default();
        let mut has_about = false;
        for line in source.lines().map_while(|line| line.strip_prefix(comment)?.strip_prefix(' ')) {
            let bad = || format!("no directive: {line}");
            match line.split_once(": ").ok_or_else(bad)? {
                ("about", _) => has_about = true,
                ("extern", value) => {
                    let (name, address) = value.split_once(" 0x").ok_or_else(bad)?;
                    let address = u64::from_str_radix(address, 16).map_err(|_| bad())?;
                    directives.externs.push((name.into(), Addr(address)));
                }
                ("reach", value) => directives.reach = Some(value.parse().map_err(|_| bad())?),
                ("lld", value) => directives.lld = Some(value.into()),
                _ => return Err(bad()),
            }
        }
        if has_about { Ok(directives) } else { Err("no `# about:` line".into()) }
    }
}

fn assemble(file: &Path, isa: &str, is_llvm: bool) -> Result<PathBuf, String> {
    let name = file.file_stem().ok_or("a file without a name")?.to_string_lossy();
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{isa}-{name}.o"));
    let tool = if is_llvm { "llc-22" } else { "clang-22" };
    let mut command = Command::new(tool);
    match is_llvm {
        true => command.args([
            &format!("-mtriple={isa}-linux-gnu"),
            "-relocation-model=pic",
            "-filetype=obj",
        ]),
        false => command.args([&format!("--target={isa}-linux-gnu"), "-c"]),
    };
    let result = command.arg(file).arg("-o").arg(&output).output();
    let result = result.map_err(|error| format!("{tool}: {error}"))?;
    if !result.status.success() {
        return Err(String::from_utf8_lossy(&result.stderr).into_owned());
    }
    Ok(output)
}

/// The assembly, and what it expects.
fn split<'a>(text: &'a str, mark: &str) -> (&'a str, String) {
    let end = text.find(mark).unwrap_or(text.len());
    let expected = text[end..].lines().map(|line| {
        let line = line.strip_prefix(mark).unwrap_or(line);
        format!("{}\n", line.strip_prefix(' ').unwrap_or(line))
    });
    (text[..end].trim_end(), expected.collect())
}

fn join(source: &str, expected: &str, mark: &str) -> String {
    let lines = expected.lines().map(|line| match line {
        "" => format!("{mark}\n"),
        line => format!("{mark} {line}\n"),
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
