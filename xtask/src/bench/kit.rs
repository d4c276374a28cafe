//! What a virtual machine pays for the kit: calls of every kind, redefinition, first calls; LLVM's ORC
//! beside it, where it can do the same.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::library::{Line, lines_of, nanoseconds, run};
use super::report::{Goal, Table};
use crate::place;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "The kit",
        "By programs that use the library, and by one that uses ORC's redirectable symbols and \
         one module a function. Calls: a loop of nothing else (ORC's virtual calls are by tables of final \
         addresses, which do not follow a redefinition; it has no interface calls: by hand, a table by class \
         of its redirectable symbols, which do), the best of five. Redefinition, the best of many, in \
         rounds between the others: of a function that so many call sites are bound to, compiling and \
         freeing its six bytes included where it is compiled first; no other thread of the process \
         runs, and beside it what the system call takes then that ends it. First calls: from definition \
         to return.",
        &["what", "of", "time", "goal"],
    );
    let chosen = if bench.quick { &["calls", "dispatch"][..] } else { &[] };
    let chosen: Vec<_> = chosen.iter().map(|word| (*word).to_owned()).collect();
    let mut lines = lines_of("vmkit-llvm", "kit", &chosen)?;
    lines.extend(orc(bench)?);
    for line in &lines {
        let mut row = vec![line.what.clone(), line.count.clone(), nanoseconds(line.nanoseconds)];
        if let Some((most, what)) = goal(line, &lines) {
            let shown = nanoseconds(line.nanoseconds);
            row.push(table.judge(&what, Some(line.nanoseconds), &shown, Goal::AtMost(most)));
        }
        table.row(row);
    }
    Ok(table)
}

/// The most nanoseconds that a line is to take, and what it is then called.
fn goal(line: &Line, lines: &[Line]) -> Option<(f64, String)> {
    if line.what.starts_with("redefine, compiled at") {
        let sites: f64 = line.count.parse().ok()?;
        // 1 µs, and 5 ns a site.
        return Some((1000.0 + 5.0 * sites, format!("redefinition, {sites} sites, in ns")));
    }
    if line.count == "direct site" {
        let native = lines.iter().find(|line| line.count.starts_with("native"))?;
        return Some((native.nanoseconds * 1.03, "a call at a direct site, in ns".into()));
    }
    if line.count.starts_with("direct site, redefined") {
        let before = lines.iter().find(|line| line.count == "direct site")?;
        let what = "a call at a direct site after 1000 redefinitions, in ns";
        return Some((before.nanoseconds * 1.03, what.into()));
    }
    None
}

/// What the program that uses ORC prints.
fn orc(bench: &Bench) -> Result<Vec<Line>> {
    let program = bench.folder.join("orc");
    let ask = |what: &str| -> Result<String> {
        let output = Command::new("llvm-config-22").arg(what).output();
        let output = output.context("llvm-config-22 (make setup installs it)")?;
        Ok(String::from_utf8(output.stdout)?.trim().into())
    };
    let mut command = Command::new("c++");
    command.args(["-O2", "-std=c++17", "-fno-rtti", "-fno-exceptions", "-o"]).arg(&program);
    command.arg(place::root().join("xtask/bench/orc.cpp"));
    command.arg(format!("-I{}", ask("--includedir")?));
    command.arg(format!("-L{}", ask("--libdir")?)).arg("-lLLVM-22");
    ensure!(command.status().context("c++")?.success(), "the ORC program does not build");
    run(Command::new(program))
}
