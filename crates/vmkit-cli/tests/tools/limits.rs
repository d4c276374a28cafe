//! What the system does not give, because of a limit, is said.

use std::path::Path;
use std::process::Command;

use super::process::End;
use super::program;
use super::source::{outcome, vmkit};

/// Runs the program under a limit of the shell's `ulimit`, and checks how that ends and what is said.
#[track_caller]
fn check(folder: &Path, limit: &str, code: i32, said: &[&str]) {
    let vmkit = vmkit(folder, &["run", "first.bc", "second.bc"]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]).current_dir(folder);
    command.arg(vmkit.get_program()).args(vmkit.get_args());
    let outcome = outcome(command);
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    assert_eq!(outcome.end, End::Exit(code), "{limit}: {stderr}");
    assert!(said.iter().all(|said| stderr.contains(said)), "{limit}: {stderr}");
}

#[test]
fn a_thread_that_cannot_be_had_is_said() {
    // In kilobytes of data: less than the range alone has.
    check(&program("limits_data"), "-d 65000", 2, &["vmkit: cannot start a thread: "]);
}

#[test]
fn memory_to_begin_with_that_cannot_be_had_is_said() {
    // In kilobytes: less than the allocator takes at first.
    check(&program("limits_begin"), "-d 15000", 2, &["vmkit: the system gives too little memory"]);
}

#[test]
fn address_space_that_cannot_be_had_is_said() {
    // In kilobytes: libraries fit in, and the range does not.
    let said = ["vmkit: cannot map 1073741824 bytes of memory: "];
    check(&program("limits_space"), "-v 1000000", 2, &said);
}
