//! The module of `vmkit-cranelift` beside that of `cranelift-jit`.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Bench;
use super::library::{Line, lines_of, nanoseconds};
use super::measure::{quotient, show};
use super::report::{Goal, Table};

/// Who is measured, as the program names them.
const PEER: &str = "cranelift-jit";
const LAZY: &str = "lazy";
const EAGER: &str = "eager";
const AHEAD: &str = "ahead";
/// Ours.
const OURS: [&str; 3] = [LAZY, EAGER, AHEAD];

/// What a bench calls the other figure of a time: what all threads worked.
const WORK: &str = ": work";

/// The end of what is more than `cranelift-jit` does, and not judged.
const MORE: &str = ", with unwind records";

/// What one of `cranelift-jit` is to cost at most.
const MOST: f64 = 1.05;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "Beside cranelift-jit",
        "By a program that uses `cranelift_module::Module`, on `cranelift-jit` and on a session, \
         functions of a loop and a call, each measurement in a process of its own, by turns, the best of some runs. \
         `lazy` compiles what is called, and is the default; `eager` compiles what is defined, as \
         `cranelift-jit` does; `ahead` has compile threads do so, while more is defined, and compiles along \
         when definitions are finalized. Settings are those that who says nothing gets: functions are verified, by \
         `cranelift-jit` after each pass, by the others once, and theirs have unwind records, which its have not. \
         The rows that say bare are without both. Times are \
         judged, for those are what a program waits for; the rows of work are what the processors did \
         meanwhile: all threads, those too that wait for a function and look for it (60 µs, then they \
         sleep). Defining and finalizing: for each function, less what it takes to declare it and to build its \
         CLIF alone; of `lazy` nothing is compiled then, but in the next row. Memory: bytes for each \
         function, each page once however often it is mapped; that of unwind records is not judged, for who has \
         none needs none. The start is that of a module of which 1 % is \
         called, all included.",
        &[
            "what",
            "of",
            PEER,
            LAZY,
            "lazy / it",
            "goal",
            EAGER,
            "eager / it",
            "goal",
            AHEAD,
            "ahead / it",
            "goal",
        ],
    );
    let lines = match bench.quick {
        true => quick("define", "10")?,
        false => lines_of("vmkit-cranelift", "module", &[])?,
    };
    let mut rows: BTreeMap<usize, (String, String, [Option<f64>; 4])> = BTreeMap::new();
    for Line { what, count, nanoseconds } in lines {
        let (who, count) = count.split_once(", ").unwrap_or((&count, ""));
        let known = rows.iter().find(|(_, row)| row.0 == what && row.1 == count);
        let number = known.map_or(rows.len(), |(&number, _)| number);
        let row = rows.entry(number).or_insert((what, count.to_owned(), [None; 4]));
        if let Some(place) = [PEER, LAZY, EAGER, AHEAD].iter().position(|known| *known == who) {
            row.2[place] = Some(nanoseconds);
        }
    }
    for (what, count, figures) in rows.into_values() {
        row(&mut table, &what, count, figures);
    }
    Ok(table)
}

fn row(table: &mut Table, what: &str, count: String, [peer, ours @ ..]: [Option<f64>; 4]) {
    let text = |figure: f64| match what {
        _ if what.starts_with("memory") => format!("{figure:.0} B"),
        _ => nanoseconds(figure),
    };
    let shown = |figure: Option<f64>| figure.map_or("-".into(), text);
    let mut cells = vec![what.to_owned(), count.clone(), shown(peer)];
    for (figure, whose) in ours.into_iter().zip(OURS) {
        let ratio = quotient(figure, peer);
        let is_judged = ratio.is_some() && ![WORK, MORE].iter().any(|end| what.ends_with(end));
        let goal = is_judged.then(|| {
            let what = format!("{what}, {count}: {whose} / cranelift-jit");
            table.judge(&what, ratio, &show(ratio), Goal::AtMost(MOST))
        });
        cells.extend([shown(figure), show(ratio), goal.unwrap_or("-".into())]);
    }
    table.row(cells);
}

/// One measurement of each.
fn quick(what: &str, count: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for who in [PEER, LAZY, EAGER, AHEAD] {
        let arguments = [what, who, count].map(str::to_owned);
        lines.extend(lines_of("vmkit-cranelift", "module", &arguments)?);
    }
    Ok(lines)
}
