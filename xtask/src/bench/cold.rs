//! Cold time to exit of real programs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Bench;
use super::measure::{Figure, Make, measure_in_turns, ratio};
use super::report::Table;
use crate::engine::Engine;
use crate::process;
use crate::programs::{Built, PROGRAMS, build};

/// A program with what it is given to do.
struct Work {
    program: &'static str,
    args: &'static [&'static str],
    /// Given as one module for each source file.
    split: bool,
    /// The largest ratio to eager `lli` that is aimed at.
    goal: &'static str,
    quick: bool,
}

impl Work {
    const fn new(program: &'static str, args: &'static [&'static str]) -> Self {
        Work { program, args, split: false, goal: "-", quick: false }
    }
}

const WORK: &[Work] = &[
    Work { goal: "0.125", quick: true, ..Work::new("lua", &["-e", "print(1)"]) },
    Work { goal: "0.125", split: true, ..Work::new("lua", &["-e", "print(1)"]) },
    Work { goal: "0.050", quick: true, ..Work::new("sqlite", &["-e", "select 1"]) },
    Work { goal: "0.050", split: true, ..Work::new("sqlite", &["-e", "select 1"]) },
    Work { quick: true, ..Work::new("quickjs", &["-e", "print(1)"]) },
    Work::new("zstd", &["64"]),
    Work { quick: true, ..Work::new("bzip2", &["64"]) },
    Work::new("bzip2", &["1024"]),
    Work { quick: true, ..Work::new("leveldb", &["500"]) },
];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "Cold time to exit",
        "Wall time (median) and peak resident memory of the whole process, nothing cached. \
         Goals: Lua at most 1/8 of eager `lli`, SQLite 1/20, everything 1/3 of the fastest mode of \
         `lli` that survives it. Numbers after a program are kilobytes to compress or records to \
         store: the second row of bzip2 is mostly work, not compilation.",
        &[
            "program",
            "native",
            "vmkit",
            "vmkit -O0",
            "vmkit -O2",
            "vmkit --eager -O0",
            "lli",
            "lli -O0",
            "lli mcjit",
            "lli orc-lazy",
            "vmkit / lli",
            "goal",
            "vmkit / fastest lli",
            "goal",
        ],
    );
    let vmkit = [
        Engine::vmkit(&[])?,
        Engine::vmkit(&["-O0"])?,
        Engine::vmkit(&["-O2"])?,
        Engine::vmkit(&["--eager", "-O0"])?,
    ];
    let lli = [
        Engine::lli(&[]),
        Engine::lli(&["-O0"]),
        Engine::lli(&["--jit-kind=mcjit"]),
        Engine::lli(&["--jit-kind=orc-lazy"]),
    ];
    for work in WORK.iter().filter(|work| work.quick || !bench.quick) {
        let program = PROGRAMS.iter().find(|program| program.name == work.program);
        let built = build(&[program.context("an unknown program")?], 2)?.remove(0);
        table.row(measure_work(bench, work, &built, &vmkit, &lli)?);
    }
    Ok(table)
}

fn measure_work(
    bench: &Bench,
    work: &Work,
    built: &Built,
    vmkit: &[Engine],
    lli: &[Engine],
) -> Result<Vec<String>> {
    let modules: &[PathBuf] = match work.split {
        true => &built.modules,
        false => std::slice::from_ref(&built.linked),
    };
    // A program that crashes leaves its files behind.
    let scratch = bench.folder.join("scratch");
    fs::create_dir_all(&scratch)?;
    let native = || {
        let mut command = Command::new(&built.native);
        command.args(work.args).current_dir(&scratch);
        command
    };
    let expected = process::output(&mut native())?;
    let args: Vec<String> = work.args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut commands: Vec<Make<'_>> = vec![Box::new(native)];
    for engine in vmkit.iter().chain(lli) {
        commands.push(Box::new(|| {
            let mut command = engine.command("", modules, &args);
            command.current_dir(&scratch);
            command
        }));
    }
    let figures = measure_in_turns(bench.repeats, Some(&expected), &commands)?;
    let (vmkit, lli) = figures[1..].split_at(vmkit.len());
    fs::remove_dir_all(&scratch)?;
    let form = if work.split { format!(", {} modules", modules.len()) } else { String::new() };
    let mut row = vec![format!("{} `{}`{form}", work.program, work.args.join(" "))];
    row.extend(figures.iter().map(Figure::with_memory));
    let fastest = lli.iter().filter_map(Figure::seconds).min_by(f64::total_cmp);
    row.extend([
        ratio(vmkit[0].seconds(), lli[0].seconds()),
        work.goal.to_owned(),
        ratio(vmkit[0].seconds(), fastest),
        "0.333".to_owned(),
    ]);
    Ok(row)
}
