//! Sources that a test brings along, compiled as it asks for.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, process};

use super::process::{End, Outcome, run};

/// How long a compiler, or a program that is looked into, may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A fresh folder for one test.
pub(crate) fn folder(test: &str) -> PathBuf {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let name = format!("{test}.{}.{serial}", process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("the folder for products can be written");
    folder
}

/// Compiles `source` with clang and `flags` to `product` in `folder`.
pub(crate) fn compile(source: &Path, flags: &[&str], folder: &Path, product: &str) -> PathBuf {
    let is_cpp = source.extension().is_some_and(|extension| extension == "cpp");
    let output = folder.join(product);
    let mut command = Command::new(if is_cpp { "clang++-22" } else { "clang-22" });
    command.args(["-w", "-c", "-o"]).arg(&output).args(flags).arg(source).current_dir(folder);
    succeed(command);
    output
}

/// Runs a command that must succeed; its standard output.
pub(crate) fn succeed(command: Command) -> String {
    let outcome = outcome(command);
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    assert_eq!(outcome.end, End::Exit(0), "$ {}\n{stderr}", outcome.command);
    String::from_utf8(outcome.stdout).expect("text")
}

/// Runs a command to its end.
pub(crate) fn outcome(command: Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let outcome = run(command, None, LIMIT);
    outcome.unwrap_or_else(|error| panic!("{program}: {error} (`make test` installs it)"))
}

/// `vmkit` with these first arguments, at home in `folder`.
pub(crate) fn vmkit(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmkit"));
    command.args(arguments).current_dir(folder);
    command
}
