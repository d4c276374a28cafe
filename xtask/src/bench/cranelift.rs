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

/// Which of [`LAZY`] and [`EAGER`] is judged: what a `JitBuilder` does unless it is told otherwise.
const JUDGED: usize = 0;

/// What one of `cranelift-jit` is to cost at most.
const MOST: f64 = 1.05;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "Beside cranelift-jit",
        "By a program that uses `cranelift_module::Module`, on `cranelift-jit` and on a session, \
         functions of a loop and a call, each measurement in a process of its own; processor time of all \
         threads, the best of some runs. (Compile threads look for work for 60 µs before they sleep, which \
         counts.) `lazy` compiles what is called, and is the default, so it is judged; `eager` compiles what \
         is defined, as `cranelift-jit` does. Both have unwind records, which `cranelift-jit` has not. \
         Defining and finalizing: for each function, without the building of CLIF; of `lazy` nothing is \
         compiled then, but in the next row. Memory: bytes for each function, each page once however often \
         it is mapped. The start is that of a module of which 1 % is called, all included.",
        &["what", "of", PEER, LAZY, "lazy / it", EAGER, "eager / it", "goal"],
    );
    let lines = match bench.quick {
        true => quick("define", "10")?,
        false => lines_of("vmkit-cranelift", "module", &[])?,
    };
    let mut rows: BTreeMap<usize, (String, String, [Option<f64>; 3])> = BTreeMap::new();
    for Line { what, count, nanoseconds } in lines {
        let (who, count) = count.split_once(", ").unwrap_or((&count, ""));
        let known = rows.iter().find(|(_, row)| row.0 == what && row.1 == count);
        let number = known.map_or(rows.len(), |(&number, _)| number);
        let row = rows.entry(number).or_insert((what, count.to_owned(), [None; 3]));
        if let Some(place) = [PEER, LAZY, EAGER].iter().position(|known| *known == who) {
            row.2[place] = Some(nanoseconds);
        }
    }
    for (what, count, figures) in rows.into_values() {
        row(&mut table, &what, count, figures);
    }
    Ok(table)
}

fn row(table: &mut Table, what: &str, count: String, [peer, lazy, eager]: [Option<f64>; 3]) {
    let text = |figure: f64| match what {
        "memory" => format!("{figure:.0} B"),
        _ => nanoseconds(figure),
    };
    let shown = |figure: Option<f64>| figure.map_or("-".into(), text);
    let ratios = [quotient(lazy, peer), quotient(eager, peer)];
    let mut cells = vec![what.to_owned(), count.clone(), shown(peer)];
    for (figure, ratio) in [lazy, eager].into_iter().zip(ratios) {
        cells.extend([shown(figure), show(ratio)]);
    }
    let judged = ratios[JUDGED];
    if peer.is_some() {
        let what = format!("{what}, {count}: ours / cranelift-jit");
        cells.push(table.judge(&what, judged, &show(judged), Goal::AtMost(MOST)));
    }
    table.row(cells);
}

/// One measurement of each.
fn quick(what: &str, count: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for who in [PEER, LAZY, EAGER] {
        let arguments = [what, who, count].map(str::to_owned);
        lines.extend(lines_of("vmkit-cranelift", "module", &arguments)?);
    }
    Ok(lines)
}
