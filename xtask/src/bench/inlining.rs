//! Whether a program in one module a function is as fast as if they were one module.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::measure::{quotient, show};
use super::report::{Goal, Table};
use crate::engine::Engine;
use crate::process;
use crate::programs::Pieces;
use crate::units::seconds;

/// Have the C library's allocator, and vmkit's, keep what is freed: what is compared is the code, and not
/// what the kernel does with pages that come and go.
const KEEP_MEMORY: [(&str, &str); 2] =
    [("GLIBC_TUNABLES", KEEP_ALL), ("MIMALLOC_PURGE_DELAY", "-1")];
const KEEP_ALL: &str = "glibc.malloc.mmap_threshold=1073741824:\
    glibc.malloc.trim_threshold=4294967295:glibc.malloc.top_pad=67108864";

const LIMIT: Duration = Duration::from_secs(300);

/// A program with what it is given to do, and what that is called.
struct Work {
    program: &'static str,
    what: &'static str,
    args: &'static [&'static str],
    quick: bool,
}

impl Work {
    const fn lua(what: &'static str, args: &'static [&'static str]) -> Self {
        Work { program: "lua", what, args, quick: false }
    }
}

const FIB: &str = "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end \
                   print(fib(31))";
const LOOP: &str = "local s = 0 for i = 1, 6e6 do s = s + i % 7 end print(s)";
const STRINGS: &str = "local t = {} \
    for i = 1, 1e5 do t[#t + 1] = ('%d'):format(i):rep(2):upper():gsub('1', 'one') end \
    print(#table.concat(t, ','))";
const OBJECTS: &str = "local P = {} P.__index = P \
    function P.new(x, next) return setmetatable({ x = x, next = next }, P) end \
    function P:sum() local s = 0 while self do s = s + self.x self = self.next end return s end \
    local s = 0 for i = 1, 40 do local p for j = 1, 5e3 do p = P.new(j, p) end s = s + p:sum() end \
    print(s)";

const WORK: &[Work] = &[
    Work { quick: true, ..Work::lua("recursion", &["-e", FIB]) },
    Work::lua("a loop", &["-e", LOOP]),
    Work::lua("strings", &["-e", STRINGS]),
    Work::lua("objects", &["-e", OBJECTS]),
    Work { program: "simdjson", what: "50000 people", args: &["50000"], quick: false },
];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "One module a function, as if they were one",
        "The program is compiled for -O2 without any pass, linked to one module and taken apart: \
         one module a function. *native* is the one module, compiled and linked ahead of time at \
         -O2; vmkit gets the pieces. Both are told to keep the memory that is freed. The work is done \
         six times in a process, by the processor time of its thread; the first, in which vmkit compiles, does not count, of the others the quickest in \
         all runs does. They take turns.",
        &[
            "program",
            "modules",
            "native -O2",
            "vmkit -O2",
            "vmkit / native",
            "goal",
            "vmkit -O2 --no-inlining",
            "that / native",
        ],
    );
    let engines = [Engine::vmkit(&["-O2"])?, Engine::vmkit(&["-O2", "--no-inlining"])?];
    for work in WORK.iter().filter(|work| work.quick || !bench.quick) {
        let pieces = bench.pieces(work.program)?;
        let times = measure(bench, work, &pieces, &engines)?;
        let cell = |time: &Result<f64, String>| match time {
            Ok(time) => seconds(*time),
            Err(why) => why.clone(),
        };
        let [native, vmkit, plain] = times.each_ref().map(|time| time.as_ref().ok().copied());
        let name = format!("{}, {}", work.program, work.what);
        let ratio = quotient(vmkit, native);
        let what = format!("{name}, one module a function: vmkit -O2 / native -O2 of one module");
        let goal = table.judge(&what, ratio, &show(ratio), Goal::AtMost(1.03));
        table.row(vec![
            name,
            pieces.modules.len().to_string(),
            cell(&times[0]),
            cell(&times[1]),
            show(ratio),
            goal,
            cell(&times[2]),
            show(quotient(plain, native)),
        ]);
    }
    Ok(table)
}

/// Seconds of the work natively and by each engine, or why there are none.
fn measure(
    bench: &Bench,
    work: &Work,
    pieces: &Pieces,
    engines: &[Engine; 2],
) -> Result<[Result<f64, String>; 3]> {
    let scratch = bench.scratch()?;
    let args: Vec<String> = work.args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut best = [const { Ok(f64::INFINITY) }; 3];
    let mut expected = None;
    for _ in 0..bench.repeats {
        let mut native = Command::new(&pieces.native);
        native.args(work.args);
        let [inlining, plain] = engines.each_ref().map(|it| it.command("", &pieces.modules, &args));
        for (best, mut command) in best.iter_mut().zip([native, inlining, plain]) {
            if let Ok(before) = *best {
                let time = run(command.envs(KEEP_MEMORY), &scratch, &mut expected)?;
                *best = time.map(|time| before.min(time));
            }
        }
    }
    Ok(best)
}

/// Seconds that a run tells of; `expected` is what the first one printed.
fn run(
    command: &mut Command,
    scratch: &Path,
    expected: &mut Option<Vec<u8>>,
) -> Result<Result<f64, String>> {
    let outcome = process::run(command.current_dir(scratch), LIMIT)?;
    if !outcome.is_success() {
        return Ok(Err(outcome.cause()));
    }
    let text = String::from_utf8_lossy(&outcome.stderr);
    let time = text.lines().last().and_then(|line| line.parse::<f64>().ok());
    if *expected.get_or_insert_with(|| outcome.stdout.clone()) != outcome.stdout {
        return Ok(Err("wrong output".into()));
    }
    Ok(time.map(|nanoseconds| nanoseconds / 1e9).ok_or("no time".into()))
}
