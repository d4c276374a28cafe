//! Crates from crates.io that use `cranelift-jit`, with `vmkit-cranelift` in its place: their own tests
//! must pass.

mod source;
mod table;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use self::table::{CLIENTS, Client};
use crate::{place, process};

/// A client that is not built and tested by then hangs.
const LIMIT: Duration = Duration::from_secs(1800);

#[derive(Args)]
pub(crate) struct Options {
    /// Only clients whose name contains this
    #[arg(default_value = "")]
    filter: String,
    /// Run them with cranelift-jit itself, to see what their tests do there
    #[arg(long)]
    peer: bool,
}

/// Builds the clients and runs their tests.
///
/// # Errors
///
/// When a test fails, or a client cannot be fetched or built.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = place::target()?.join("clients");
    let mut failures = Vec::new();
    for client in CLIENTS.iter().filter(|client| client.package.contains(&options.filter)) {
        let source = source::prepare(client, &folder, options.peer)?;
        match test(client, &source, &folder.join("target"))? {
            Ok(passed) => {
                println!("clients: {} {}: {passed} tests pass", client.package, client.version)
            }
            Err(output) => {
                println!("clients: {} {}:\n{output}", client.package, client.version);
                failures.push(client.package);
            }
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => bail!("the tests of {} do not pass", failures.join(", ")),
    }
}

/// How many tests passed, or what went wrong.
fn test(client: &Client, source: &Path, target: &Path) -> Result<Result<u64, String>> {
    let mut cargo = Command::new(place::cargo());
    cargo.args(["test", "--no-fail-fast", "--features", client.features, "--target-dir"]);
    cargo.arg(target).current_dir(source);
    let outcome = process::run(&mut cargo, LIMIT)?;
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let errors = String::from_utf8_lossy(&outcome.stderr);
    match outcome.is_success() {
        true => Ok(Ok(passed(&text))),
        false => Ok(Err(format!("{text}\n{errors}"))),
    }
}

/// The sum of what test programs say have passed.
fn passed(output: &str) -> u64 {
    let counts = output.lines().filter_map(|line| {
        let rest = line.strip_prefix("test result: ok. ")?;
        rest.split_once(" passed")?.0.parse::<u64>().ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored\n\ntest result: ok. 40 passed; 0 failed\n";
        assert_eq!(passed(output), 42);
        assert_eq!(passed("test result: FAILED. 1 passed; 1 failed"), 0);
    }
}
