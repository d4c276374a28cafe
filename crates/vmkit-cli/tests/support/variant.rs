//! The ways in which each program is run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{fs, process};

use anyhow::{Context, Result};

use super::build::Build;
use super::header::Header;
use super::process::{Outcome, run};

/// A name and the options of `vmkit run` that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The ahead-of-time build that the header is checked against.
    Native,
    /// Through `vmkit run` with these options.
    Vmkit(&'static str, &'static [&'static str]),
}

const VARIANTS: &[Variant] = &[
    Variant::Native,
    Variant::Vmkit("default", &[]),
    Variant::Vmkit("O0", &["-O0"]),
    Variant::Vmkit("O2", &["-O2"]),
    Variant::Vmkit("eager", &["--eager", "-O0"]),
    Variant::Vmkit("reach", &["--reach", "65536"]),
];

/// The variants that `header` does not leave out.
pub(crate) fn of(header: &Header) -> impl Iterator<Item = Variant> {
    VARIANTS.iter().copied().filter(|variant| match variant {
        Variant::Native => header.native,
        Variant::Vmkit(name, _) => !header.skip.iter().any(|skipped| skipped == name),
    })
}

impl Variant {
    /// The part of the trial's name that stands for the variant.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Variant::Native => "native",
            Variant::Vmkit(name, _) => name,
        }
    }

    /// Whether the bounds of `stat:` lines, which tell of laziness, apply.
    pub(crate) fn has_stats(self) -> bool {
        !matches!(self, Variant::Native | Variant::Vmkit("eager", _))
    }

    /// Runs the program of `build`.
    ///
    /// # Errors
    ///
    /// When the program does not compile or cannot be started.
    pub(crate) fn run(self, build: &Build) -> Result<Finished> {
        let header = &build.program().header;
        let mut stdin = header.stdin.clone().map(String::into_bytes);
        let mut stats_file = None;
        let mut command = match self {
            Variant::Native => Command::new(build.native()?),
            Variant::Vmkit(_, options) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_vmkit"));
                command.arg("run").args(options).args(&header.run);
                if self.has_stats() && !header.stats.is_empty() {
                    let file =
                        build.folder().join(format!("{}.{}.json", self.name(), process::id()));
                    command.arg(format!("--stats={}", file.display()));
                    stats_file = Some(file);
                }
                let modules = build.modules()?;
                let shared =
                    modules.shared.iter().map(|path| format!("--dlopen={}", path.display()));
                command.args(shared);
                let mut files = modules.files.clone();
                if header.pipe {
                    stdin = Some(fs::read(&files[0])?);
                    files[0] = PathBuf::from("-");
                }
                command.args(files).arg("--");
                command
            }
        };
        command.args(&header.args).envs(header.env.iter().cloned()).current_dir(build.folder());
        let limit = Duration::from_secs(header.limit);
        fs::create_dir_all(build.folder())?;
        let outcome = run(command, stdin, limit).context("the program could not be started")?;
        let stats = stats_file.and_then(|file| {
            let text = fs::read_to_string(&file).ok();
            // Left behind, it does no harm.
            drop(fs::remove_file(&file));
            text
        });
        Ok(Finished { outcome, stats })
    }
}

/// A program that was run.
#[derive(Debug)]
pub(crate) struct Finished {
    /// What the process did.
    pub(crate) outcome: Outcome,
    /// The text of `--stats=FILE.json`, where it was asked for and written.
    pub(crate) stats: Option<String>,
}
