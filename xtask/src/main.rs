//! The project's chores: `cargo xtask --help` lists them.

mod bench;
mod clients;
mod conformance;
mod engine;
mod parallel;
mod place;
mod process;
mod programs;
mod tidy;
mod units;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the project's own rules over the source tree
    Tidy,
    /// Run GCC's c-torture execute tests under vmkit run
    Conformance(conformance::Options),
    /// Run real programs from crates.io under vmkit run
    Programs(programs::Options),
    /// Run the tests of crates that use cranelift-jit with vmkit-cranelift in its place
    Clients(clients::Options),
    /// Measure vmkit run against lli and native code
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    match chore {
        Chore::Tidy => tidy::run(place::root()),
        Chore::Conformance(options) => conformance::run(&options),
        Chore::Programs(options) => programs::run(&options),
        Chore::Clients(options) => clients::run(&options),
        Chore::Bench(options) => bench::run(&options),
    }
}
