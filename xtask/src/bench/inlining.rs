//! Whether a program in one module a function is as fast as if they were one module.

use std::path::Path;
use std::process::Command;
use std::slice;
use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::measure::{median, quotient, show};
use super::report::{Goal, Table};
use crate::engine::Engine;
use crate::process;
use crate::programs::{Pieces, Placement};
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
         -O2; vmkit gets the pieces. Both are told to keep the memory that is freed. Code is placed in five \
         ways, and the time is the median of those. For each, the work is done eleven times in a process, by the \
         processor time of its thread; the first, in which vmkit compiles, does not count, of the others the \
         quickest does. They take turns. Beside the ratio of the medians are those of the placements, from \
         the least to the greatest.",
        &[
            "program",
            "modules",
            "native -O2",
            "vmkit -O2",
            "vmkit / native",
            "of each placement",
            "goal",
            "vmkit -O2 --no-inlining",
            "that / native",
        ],
    );
    let engines = [Engine::vmkit(&["-O2"])?, Engine::vmkit(&["-O2", "--no-inlining"])?];
    for work in WORK.iter().filter(|work| work.quick || !bench.quick) {
        let pieces = bench.pieces(work.program)?;
        let times = measure(bench, work, &pieces, &engines)?;
        let middle =
            times.each_ref().map(|times| times.as_ref().ok().and_then(|it| median(it.clone())));
        let cell = |engine: usize| match &times[engine] {
            Ok(_) => middle[engine].map_or("-".into(), seconds),
            Err(why) => why.clone(),
        };
        let [native, vmkit, plain] = middle;
        let name = format!("{}, {}", work.program, work.what);
        let ratio = quotient(vmkit, native);
        let what = format!("{name}, one module a function: vmkit -O2 / native -O2 of one module");
        let goal = table.judge(&what, ratio, &show(ratio), Goal::AtMost(1.03));
        table.row(vec![
            name,
            pieces.modules.len().to_string(),
            cell(0),
            cell(1),
            show(ratio),
            range(&times[1], &times[0]),
            goal,
            cell(2),
            show(quotient(plain, native)),
        ]);
    }
    Ok(table)
}

/// Seconds at each placement, or why there are none.
type Times = Result<Vec<f64>, String>;

/// The least and the greatest quotient of two programs' times at the same placement.
fn range(part: &Times, whole: &Times) -> String {
    let (Ok(part), Ok(whole)) = (part, whole) else { return "-".into() };
    let mut ratios: Vec<f64> = part.iter().zip(whole).map(|(part, whole)| part / whole).collect();
    ratios.sort_by(f64::total_cmp);
    format!("{} to {}", show(ratios.first().copied()), show(ratios.last().copied()))
}

/// Times of the work natively and by each engine.
fn measure(
    bench: &Bench,
    work: &Work,
    pieces: &Pieces,
    engines: &[Engine; 2],
) -> Result<[Times; 3]> {
    let scratch = bench.scratch()?;
    let args: Vec<String> = work.args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut all = [const { Ok(Vec::new()) }; 3];
    let mut expected = None;
    let most = if bench.quick { 1 } else { pieces.placements.len() };
    for Placement { native, pad } in &pieces.placements[..most] {
        let modules = [slice::from_ref(pad), &pieces.modules].concat();
        let mut native = Command::new(native);
        native.args(work.args);
        let [inlining, plain] = engines.each_ref().map(|it| it.command("", &modules, &args));
        for (times, mut command) in all.iter_mut().zip([native, inlining, plain]) {
            if let Ok(before) = times {
                match run(command.envs(KEEP_MEMORY), &scratch, &mut expected)? {
                    Ok(time) => before.push(time),
                    Err(why) => *times = Err(why),
                }
            }
        }
    }
    Ok(all)
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
