//! Measures `vmkit run` beside `lli` and native code, all in one run on the same bitcode.

mod calls;
mod cold;
mod eager;
mod generate;
mod measure;
mod memory;
mod overhead;
mod report;
mod threads;
mod tiny;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::place;
use report::Table;

/// Measure vmkit against lli; writes the tables of docs/benchmarks.md
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A few rows with small inputs, for a sanity check; docs/benchmarks.md is left alone
    #[arg(long)]
    quick: bool,
    /// Only the tables whose name starts so, as in cold, tiny, calls; docs are left alone
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
}

/// What the measurements share.
struct Bench {
    quick: bool,
    /// How often a program runs, patience permitting.
    repeats: usize,
    /// Where generated inputs go.
    folder: PathBuf,
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
];

/// Takes all measurements and prints their tables.
///
/// # Errors
///
/// When an input cannot be made. What fails to run is a cell of its table.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = place::target()?.join("bench");
    fs::create_dir_all(&folder)?;
    let repeats = if options.quick { 1 } else { 5 };
    let bench = Bench { quick: options.quick, repeats, folder };
    let mut text = report::machine();
    for (name, measurement) in MEASUREMENTS {
        if name.starts_with(&options.only) {
            text += &format!("\n{}", measurement(&bench)?.markdown());
        }
    }
    println!("{text}");
    if !options.quick && options.only.is_empty() {
        report::publish(&text)?;
    }
    Ok(())
}
