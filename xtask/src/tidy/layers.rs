//! Inside `vmkit`, a file imports only from lines above its own.

use super::Breach;
use super::source::{Source, closing, is_word};

/// The order of the units of `crates/vmkit/src`, lowest first; those of one line do not know each
/// other. A folder is one unit, whose files are free among themselves.
const LAYERS: &[&[&str]] = &[
    &["symbol", "signature"],
    &["error"],
    &["stats", "archive"],
    &["target"],
    &["metadata"],
    &["graph"],
    &["host"],
    &["memory"],
    &["process"],
    &["resolver"],
    &["definition", "allocation"],
    &["table"],
    &["stub"],
    &["patch", "reclaim"],
    &["unwind"],
    &["listener"],
    &["code"],
    &["walk"],
    &["entry"],
    &["throw", "safepoint"],
    &["link"],
    &["object"],
    &["interposition", "nesting", "queue", "turnstile"],
    &["compile", "tier"],
    &["dispatch"],
    &["cache"],
    &["debug"],
    &["fork"],
    &["explain"],
    &["session"],
    &["function"],
];

const HERE: &str = "xtask/src/tidy/layers.rs";

fn rank(unit: &str) -> Option<usize> {
    LAYERS.iter().position(|line| line.contains(&unit))
}

/// Checks the imports of one file of `crates/vmkit/src`.
pub(super) fn check(source: &Source<'_>) -> Vec<Breach> {
    let modules = module_path(source.path);
    let Some(own) = modules.first() else {
        return Vec::new(); // lib.rs is above all
    };
    let Some(own_rank) = rank(own) else {
        let what = format!("the module `{own}` has no place in the order of imports");
        let mend = format!("give it a line in LAYERS of {HERE} and in ARCHITECTURE.md");
        return vec![Breach::new(source.path, 1, what, mend)];
    };
    let mut breaches = Vec::new();
    for (unit, line) in imports(source, &modules) {
        if unit != *own
            && let Some((what, mend)) = judge(own, own_rank, &unit)
        {
            breaches.push(Breach::new(source.path, line, what, mend));
        }
    }
    breaches
}

fn judge(own: &str, own_rank: usize, unit: &str) -> Option<(String, String)> {
    match rank(unit) {
        Some(rank) if rank < own_rank => None,
        Some(_) => Some((
            format!("`{own}` imports `{unit}`, which does not stand above it"),
            format!("move what is needed up, or pass it in; the order is in {HERE}"),
        )),
        None => Some((
            format!("`crate::{unit}` is no module in the order of imports"),
            format!("import from the module that defines it, or give it a line in {HERE}"),
        )),
    }
}

/// `crates/vmkit/src/graph/elf.rs` is `[graph, elf]`, `lib.rs` is `[]`.
fn module_path(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let stem = inside.trim_end_matches(".rs");
    let mut names: Vec<String> = stem.split('/').map(Into::into).collect();
    if names.last().is_some_and(|last| last == "mod") || stem == "lib" {
        names.pop();
    }
    names
}

/// Each unit that the file names through `crate::` or `super::`, with the line; tests excepted.
fn imports(source: &Source<'_>, file: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    // Ends of the inline modules around the current token.
    let mut inline: Vec<usize> = Vec::new();
    for index in 0..source.tokens.len() {
        inline.retain(|&end| index < end);
        if source.text(index) == "mod" && source.text(index + 2) == "{" {
            inline.push(closing(&source.tokens, index + 2));
        }
        if source.tokens[index].test || source.text(index.wrapping_sub(1)) == "in" {
            continue;
        }
        if let Some(at) = root_path(source, index, file.len() + inline.len()) {
            let line = source.tokens[index].line;
            found.extend(heads(source, at).into_iter().map(|unit| (unit, line)));
        }
    }
    found
}

/// Where the rest of a path begins that starts at `index` and leads to the crate's root.
fn root_path(source: &Source<'_>, index: usize, depth: usize) -> Option<usize> {
    if source.reads(index, &["crate", ":", ":"]) {
        // `$crate` in a macro: what is there, users of the crate see.
        let is_in_macro = index >= 1 && source.text(index - 1) == "$";
        return (!is_in_macro).then_some(index + 3);
    }
    let continued = index >= 1 && source.text(index - 1) == ":";
    let mut at = index;
    let mut up = 0;
    while !continued && source.reads(at, &["super", ":", ":"]) {
        at += 3;
        up += 1;
    }
    (up > 0 && up == depth).then_some(at)
}

/// The first names of the path or of the brace group at `at`.
fn heads(source: &Source<'_>, at: usize) -> Vec<String> {
    if source.text(at) != "{" {
        return vec![source.text(at).into()];
    }
    let mut heads = Vec::new();
    let mut index = at + 1;
    let mut first = true;
    let end = closing(&source.tokens, at);
    while index < end {
        match source.text(index) {
            "{" => index = closing(&source.tokens, index),
            "," => first = true,
            text if first => {
                if is_word(text) && text != "self" {
                    heads.push(text.into());
                }
                first = false;
            }
            _ => {}
        }
        index += 1;
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(file: &str, text: &str, expected: &[&str]) {
        let path = format!("crates/vmkit/src/{file}");
        let breaches = check(&Source::parse(&path, text).unwrap());
        assert_eq!(breaches.len(), expected.len(), "{breaches:?}");
        for (breach, part) in breaches.iter().zip(expected) {
            assert!(breach.what.contains(part), "{breach}");
        }
    }

    #[test]
    fn upward_is_free() {
        check_text("link.rs", "use crate::graph::{Edge, elf}; use crate::table::X;", &[]);
        check_text("graph/elf.rs", "use super::Edge; use crate::graph::Section;", &[]);
        check_text("lib.rs", "pub use crate::session::Session;", &[]);
        check_text("stub.rs", "macro_rules! m { () => { $crate::link::f() } }", &[]);
    }

    #[test]
    fn downward_is_refused() {
        check_text("graph/mod.rs", "use crate::link::f;", &["`link`"]);
        check_text(
            "graph/mod.rs",
            "use crate::{error::Error, link::{a, b}, table};",
            &["`link`", "`table`"],
        );
        check_text("stub.rs", "fn f() { crate::dispatch::f() }", &["`dispatch`"]);
        check_text("stub.rs", "fn f() { super::session::f() }", &["`session`"]);
        check_text("graph/elf.rs", "use super::super::session::S;", &["`session`"]);
        check_text(
            "stub.rs",
            "mod imp { use super::super::patch::P; use super::X; }",
            &["`patch`"],
        );
    }

    #[test]
    fn names_without_a_place_are_refused() {
        check_text("stub.rs", "use crate::Error;", &["`crate::Error`"]);
        check_text("stub.rs", "use crate::*;", &["`crate::*`"]);
        check_text("odd.rs", "", &["`odd`"]);
    }

    #[test]
    fn visibility_and_tests_are_no_imports() {
        check_text("stub.rs", "pub(in crate::session) fn f() {} pub(crate) fn g() {}", &[]);
        check_text("stub.rs", "#[cfg(test)] mod tests { use crate::session::S; }", &[]);
    }
}
