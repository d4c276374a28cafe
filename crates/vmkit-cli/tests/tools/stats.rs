//! `--stats`: the keys, and what they count.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::program;
use super::source::{outcome, succeed, vmkit};

const COUNTS: [&str; 9] = [
    "functions_known",
    "functions_compiled",
    "functions_failed",
    "functions_inlined",
    "code_bytes",
    "data_bytes",
    "stubs",
    "sites_bound",
    "sites_on_stubs",
];
const SECONDS: [&str; 7] = ["load", "materialize", "optimize", "codegen", "link", "wait", "total"];

/// What `vmkit run` with `options` writes to `stats.json` in `folder`.
pub(super) fn stats(folder: &Path, options: &[&str], arguments: &[&str]) -> Value {
    let mut command = vmkit(folder, &["run", "--stats=stats.json"]);
    command.args(options).args(["first.bc", "second.bc", "--"]).args(arguments);
    outcome(command);
    let text = fs::read_to_string(folder.join("stats.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn count(stats: &Value, key: &str) -> u64 {
    stats[key].as_u64().unwrap_or_else(|| panic!("{key} in {stats}"))
}

#[test]
fn every_key_is_there() {
    let stats = stats(&program("stats_keys"), &["-O2"], &[]);
    for key in COUNTS {
        count(&stats, key);
    }
    let seconds = SECONDS.map(|key| stats["seconds"][key].as_f64().unwrap());
    assert!(seconds.iter().all(|&time| time > 0.0), "{stats}");
    let [load, materialize, .., total] = seconds;
    assert!(load + materialize < total, "{stats}");
}

#[test]
fn only_what_is_called_is_compiled() {
    let stats = stats(&program("stats_lazy"), &[], &[]);
    // first.c: act, before_main, compare, main, never_called, only_in_child, twin, weakly_defined;
    // second.c: second_add, twin, weakly_defined.
    assert_eq!(count(&stats, "functions_known"), 11);
    // before_main, main, compare, second_add, both twins, second.c's weakly_defined.
    assert_eq!(count(&stats, "functions_compiled"), 7);
    assert_eq!(count(&stats, "functions_failed"), 0);
    // Both calls of second_add, one of weakly_defined and of each twin; a site that straddles two
    // lines of the cache stays on its stub.
    let bound = count(&stats, "sites_bound");
    assert!((3..=5).contains(&bound), "{stats}");
    // Calls into libraries, and of what is not called.
    assert!(count(&stats, "sites_on_stubs") >= 6, "{stats}");
    assert!(count(&stats, "code_bytes") > 7 * 16, "{stats}");
}

#[test]
fn eager_compiles_all() {
    let stats = stats(&program("stats_eager"), &["--eager"], &[]);
    // first.c's weakly_defined gives way to the other.
    assert_eq!(count(&stats, "functions_compiled"), 10);
}

#[test]
fn objects_count_their_functions() {
    let folder = program("stats_objects");
    let source = super::sources().join("second.c");
    super::compile(&source, &["-O0", "-fPIC"], &folder, "second.bc");
    let stats = stats(&folder, &[], &[]);
    assert_eq!(count(&stats, "functions_known"), 11);
    assert_eq!(count(&stats, "functions_compiled"), 7);
}

#[test]
fn a_call_that_fails_is_counted() {
    let stats = stats(&program("stats_failed"), &[], &["undefined"]);
    assert_eq!(count(&stats, "functions_failed"), 1);
}

#[test]
fn the_file_stays_where_it_was_asked_for() {
    let stats = stats(&program("stats_moved"), &[], &["move"]);
    assert_eq!(count(&stats, "functions_compiled"), 8);
}

#[test]
fn a_forked_child_does_not_report() {
    let folder = program("stats_forked");
    let stats = stats(&folder, &[], &["fork"]);
    // only_in_child is not among them.
    assert_eq!(count(&stats, "functions_compiled"), 8);
    let command = vmkit(&folder, &["run", "--stats", "first.bc", "second.bc", "--", "fork"]);
    let outcome = outcome(command);
    let table = String::from_utf8(outcome.stderr).unwrap();
    assert_eq!(table.matches("functions known").count(), 1, "{table}");
}

#[test]
fn the_table_says_the_same() {
    let folder = program("stats_table");
    let command = vmkit(&folder, &["run", "--stats", "first.bc", "second.bc"]);
    let table = String::from_utf8(outcome(command).stderr).unwrap();
    let first_words = COUNTS.map(|key| key.replace('_', " "));
    let times = SECONDS.map(|key| format!("{key} time"));
    for (line, words) in table.lines().zip(first_words.iter().chain(&times)) {
        assert!(line.starts_with(words.as_str()), "{line}");
    }
    assert_eq!(table.lines().count(), COUNTS.len() + SECONDS.len());
    assert!(table.contains("functions compiled              7\n"), "{table}");
}

#[test]
fn standard_error_may_be_full() {
    let folder = program("stats_full");
    let mut command = Command::new("sh");
    let script = "exec \"$0\" run --stats --explain main first.bc second.bc 2>/dev/full";
    command.args(["-c", script, env!("CARGO_BIN_EXE_vmkit")]).current_dir(&folder);
    let text = succeed(command);
    assert!(text.ends_with("12 103\n"), "{text}");
}
