//! Measures `vmkit run` beside `lli` and native code, all in one run on the same bitcode.

mod calls;
mod cold;
mod cranelift;
mod eager;
mod generate;
mod inlining;
mod kit;
mod library;
mod measure;
mod memory;
mod overhead;
mod report;
mod threads;
mod throws;
mod tiny;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::place;
use crate::programs::{self, Built, PROGRAMS, Pieces, Program};
use report::Table;

/// A machine as busy as this does something else beside.
const BUSY: f64 = 0.5;

/// Measure vmkit against lli; writes the tables of docs/benchmarks.md
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A few rows with small inputs, once each, for a sanity check; docs/benchmarks.md is left alone
    #[arg(long)]
    quick: bool,
    /// Only the tables whose name starts so, as in cold, tiny, calls; docs are left alone
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
    /// How often each program runs, unless its runs take long
    #[arg(long, value_name = "N")]
    repeats: Option<usize>,
}

/// What the measurements share.
struct Bench {
    quick: bool,
    /// How often a program runs, patience permitting.
    repeats: usize,
    /// Where generated inputs go.
    folder: PathBuf,
}

impl Bench {
    /// An empty folder for a program to run in.
    fn scratch(&self) -> Result<PathBuf> {
        let scratch = self.folder.join("scratch");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        fs::create_dir_all(&scratch)?;
        Ok(scratch)
    }

    /// One of the real programs.
    fn program(&self, name: &str) -> Result<Built> {
        Ok(programs::build(&[program(name)?], 2)?.remove(0))
    }

    /// One of the real programs, taken to pieces.
    fn pieces(&self, name: &str) -> Result<Pieces> {
        programs::take_to_pieces(program(name)?, 2)
    }
}

fn program(name: &str) -> Result<&'static Program> {
    let program = PROGRAMS.iter().find(|program| program.name == name);
    program.with_context(|| format!("there is no program {name}"))
}

type Measurement = fn(&Bench) -> Result<Table>;

const MEASUREMENTS: &[(&str, Measurement)] = &[
    ("cold", cold::measure_all),
    ("tiny", tiny::measure_all),
    ("calls", calls::measure_all),
    ("overhead", overhead::measure_all),
    ("eager", eager::measure_all),
    ("threads", threads::measure_all),
    ("memory", memory::measure_all),
    ("inlining", inlining::measure_all),
    ("throws", throws::measure_all),
    ("kit", kit::measure_all),
    ("cranelift", cranelift::measure_all),
];

/// Takes all measurements and prints their tables.
///
/// # Errors
///
/// When an input cannot be made. What fails to run is a cell of its table.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = place::target()?.join("bench");
    fs::create_dir_all(&folder)?;
    let repeats = options.repeats.unwrap_or(if options.quick { 1 } else { 5 });
    ensure!(repeats > 0, "--repeats: nothing would run");
    if report::load_average().is_some_and(|load| load > BUSY) {
        eprintln!("bench: this machine is busy with something else; the figures will be noisy");
    }
    let mut text = report::machine();
    let bench = Bench { quick: options.quick, repeats, folder };
    let chosen = MEASUREMENTS.iter().filter(|(name, _)| name.starts_with(&options.only));
    let tables = chosen.map(|(_, measure)| measure(&bench)).collect::<Result<Vec<_>>>()?;
    ensure!(!tables.is_empty(), "--only: there is no table {}", options.only);
    text += &format!("\n{}", report::markdown_of(&tables));
    println!("{text}");
    if !options.quick && options.only.is_empty() {
        report::publish(&text)?;
    }
    Ok(())
}
