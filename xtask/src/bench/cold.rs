//! Cold time to exit of real programs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::measure::{Figure, Make, measure_in_turns, quotient, show};
use super::report::{Goal, Table};
use crate::engine::Engine;
use crate::process;
use crate::programs::Built;

/// A program with what it is given to do.
struct Work {
    program: &'static str,
    args: &'static [&'static str],
    /// Given as one module for each source file.
    split: bool,
    /// The largest ratio to eager `lli` that is aimed at.
    goal: Option<Goal>,
    quick: bool,
}

impl Work {
    const fn new(program: &'static str, args: &'static [&'static str]) -> Self {
        Work { program, args, split: false, goal: None, quick: false }
    }
}

const LUA: Option<Goal> = Some(Goal::AtMost(0.125));
const SQLITE: Option<Goal> = Some(Goal::AtMost(0.05));
/// What is aimed at for every program, against the fastest mode of `lli` that survives it.
const FASTEST: Goal = Goal::AtMost(0.333);

const WORK: &[Work] = &[
    Work { goal: LUA, quick: true, ..Work::new("lua", &["-e", "print(1)"]) },
    Work { goal: LUA, split: true, ..Work::new("lua", &["-e", "print(1)"]) },
    Work { goal: SQLITE, quick: true, ..Work::new("sqlite", &["-e", "select 1"]) },
    Work { goal: SQLITE, split: true, ..Work::new("sqlite", &["-e", "select 1"]) },
    Work::new("quickjs", &["-e", "print(1)"]),
    Work::new("zlib", &["64"]),
    Work::new("zstd", &["64"]),
    Work { quick: true, ..Work::new("bzip2", &["64"]) },
    Work { quick: true, ..Work::new("leveldb", &["500"]) },
    Work::new("cadical", &["5"]),
    Work::new("simdjson", &["100"]),
    Work::new("geos", &[]),
];

/// The options of `vmkit run`, then those of `lli`, of which the first is the eager one.
const VMKIT: [&[&str]; 2] = [&[], &["-O2"]];
const LLI: [&[&str]; 4] = [&[], &["-O0"], &["--jit-kind=mcjit"], &["--jit-kind=orc-lazy"]];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "Cold time to exit",
        "Wall time and peak resident memory of the whole process, medians, nothing cached. Numbers \
         after a program are kilobytes to compress, records to store, pigeons to put into holes \
         or people to parse.",
        &[
            "program",
            "native",
            "vmkit",
            "vmkit -O2",
            "lli",
            "lli -O0",
            "lli mcjit",
            "lli orc-lazy",
            "vmkit / lli",
            "goal",
            "vmkit / fastest lli",
            "goal",
            "memory, vmkit / least lli",
        ],
    );
    let vmkit = VMKIT.iter().map(|options| Engine::vmkit(options)).collect::<Result<Vec<_>>>()?;
    let lli = LLI.map(Engine::lli);
    for work in WORK.iter().filter(|work| work.quick || !bench.quick) {
        let built = bench.program(work.program)?;
        let figures = measure_work(bench, work, &built, vmkit.iter().chain(&lli))?;
        judge(&mut table, work, &built, &figures);
    }
    Ok(table)
}

/// The figures of the native program, then those of the engines.
fn measure_work<'a>(
    bench: &Bench,
    work: &Work,
    built: &'a Built,
    engines: impl Iterator<Item = &'a Engine>,
) -> Result<Vec<Figure>> {
    let modules: &[PathBuf] = match work.split {
        true => &built.modules,
        false => std::slice::from_ref(&built.linked),
    };
    // A program that crashes leaves its files behind.
    let scratch = bench.scratch()?;
    let native = || {
        let mut command = Command::new(&built.native);
        command.args(work.args).current_dir(&scratch);
        command
    };
    let expected = process::output(&mut native())?;
    let args: Vec<String> = work.args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut commands: Vec<Make<'_>> = vec![Box::new(native)];
    for engine in engines {
        commands.push(Box::new(|| {
            let mut command = engine.command("", modules, &args);
            command.current_dir(&scratch);
            command
        }));
    }
    measure_in_turns(bench.repeats, Some(&expected), &commands)
}

fn judge(table: &mut Table, work: &Work, built: &Built, figures: &[Figure]) {
    let (vmkit, lli) = (&figures[1], &figures[1 + VMKIT.len()..]);
    let form = if work.split { format!(" ({} modules)", built.modules.len()) } else { "".into() };
    let name = match work.args {
        [] => format!("{}{form}", work.program),
        args => format!("{} `{}`{form}", work.program, args.join(" ")),
    };
    let mut row = vec![name.clone()];
    row.extend(figures.iter().map(Figure::with_memory));
    let part = quotient(vmkit.median(), lli[0].median());
    row.push(show(part));
    row.push(work.goal.map_or("-".into(), |goal| {
        table.judge(&format!("{name}: vmkit / lli"), part, &show(part), goal)
    }));
    let fastest = lli.iter().filter_map(Figure::median).min_by(f64::total_cmp);
    let part = quotient(vmkit.median(), fastest);
    let what = format!("{name}: vmkit / fastest lli");
    row.extend([show(part), table.judge(&what, part, &show(part), FASTEST)]);
    let bytes = |figure: &Figure| figure.peak_rss().map(|bytes| bytes as f64);
    let least = lli.iter().filter_map(bytes).min_by(f64::total_cmp);
    row.push(show(quotient(bytes(vmkit), least)));
    table.row(row);
}
