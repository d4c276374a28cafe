//! Runs the programs under `tests/run` through `vmkit run`, and compares what they do with
//! their headers. The variant `native` compares the headers with an ahead-of-time build.

mod support;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    // A program that aborts on purpose should not leave a core file behind.
    let no_core = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, no_core)?;

    let mut trials = support::program_trials()?;
    trials.extend(support::bad_input::trials());
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}
