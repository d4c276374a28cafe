//! Many tiny functions in one module: whether the cost of one depends on how many there are.

use std::path::PathBuf;

use anyhow::Result;

use super::measure::{Figure, Make, measure, measure_in_turns, net, quotient, show};
use super::report::{Goal, Table};
use super::{Bench, generate};
use crate::engine::Engine;
use crate::units::seconds;

const COUNTS: &[usize] = &[500, 1_000, 2_000, 5_000, 10_000, 50_000];
/// `lli`'s lazy mode takes minutes beyond this.
const MOST_ORC_LAZY: usize = 2_000;

/// The engines that run every count: vmkit, then eager `lli`.
struct Both {
    vmkit: Engine,
    lli: Engine,
}

/// The cost of one function of so many, by vmkit and by eager `lli`.
struct Cost {
    count: usize,
    vmkit: Option<f64>,
    lli: Option<f64>,
}

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "n tiny functions in one module, all called once",
        "The shortest wall time. Per function: that, less the time of a module of one function, \
         divided by n. All at -O0; vmkit and orc-lazy compile lazily. vmkit and eager lli take \
         turns; orc-lazy runs once.",
        &[
            "n",
            "vmkit -O0",
            "lli -O0",
            "lli orc-lazy -O0",
            "per function: vmkit",
            "lli",
            "vmkit / lli",
            "goal",
        ],
    );
    let both = Both { vmkit: Engine::vmkit(&["-O0"])?, lli: Engine::lli(&["-O0"]) };
    let start = both.measure(bench, &generate::tiny(&bench.folder, 1, true)?)?;
    let mut costs = Vec::new();
    for &n in COUNTS.iter().filter(|&&n| !bench.quick || n <= 2_000) {
        let module = generate::tiny(&bench.folder, n, true)?;
        let all = both.measure(bench, &module)?;
        let lazy = orc_lazy(bench, &module, n)?;
        let [vmkit, lli] = [0, 1].map(|engine| each(&all[engine], &start[engine], n));
        let cost = Cost { count: n, vmkit, lli };
        judge(&mut table, &all, lazy, &cost);
        costs.push(cost);
    }
    judge_flatness(&mut table, &costs);
    Ok(table)
}

impl Both {
    fn measure(&self, bench: &Bench, module: &PathBuf) -> Result<Vec<Figure>> {
        let make = |engine: &'_ Engine| engine.command("", std::slice::from_ref(module), &[]);
        let commands: [Make<'_>; 2] =
            [Box::new(move || make(&self.vmkit)), Box::new(move || make(&self.lli))];
        measure_in_turns(bench.repeats, None, &commands)
    }
}

/// The time of `lli`'s lazy mode, where it ends.
fn orc_lazy(bench: &Bench, module: &PathBuf, n: usize) -> Result<String> {
    if n > if bench.quick { MOST_ORC_LAZY / 4 } else { MOST_ORC_LAZY } {
        return Ok("-".into());
    }
    let lli = Engine::lli(&["-O0", "--jit-kind=orc-lazy"]);
    Ok(measure(1, None, || lli.command("", std::slice::from_ref(module), &[]))?.time())
}

fn each(all: &Figure, one: &Figure, n: usize) -> Option<f64> {
    Some(net(all.best(), one.best())? / n as f64)
}

fn judge(table: &mut Table, all: &[Figure], lazy: String, cost: &Cost) {
    let part = quotient(cost.vmkit, cost.lli);
    let what = format!("{} tiny functions, cost of one: vmkit -O0 / lli -O0", cost.count);
    let goal = table.judge(&what, part, &show(part), Goal::AtMost(0.35));
    let time = |time: Option<f64>| time.map_or("-".into(), seconds);
    let shortest = |figure: &Figure| figure.best().map_or_else(|| figure.time(), seconds);
    let mut row = vec![cost.count.to_string(), shortest(&all[0]), shortest(&all[1]), lazy];
    row.extend([time(cost.vmkit), time(cost.lli), show(part), goal]);
    table.row(row);
}

/// The largest cost over the smallest, from 1,000 functions on.
fn judge_flatness(table: &mut Table, costs: &[Cost]) {
    let flatness = |pick: fn(&Cost) -> Option<f64>| {
        let costs = costs.iter().filter(|cost| cost.count >= 1_000);
        let costs: Vec<f64> = costs.map(pick).collect::<Option<_>>()?;
        let dearest = costs.iter().copied().max_by(f64::total_cmp);
        quotient(dearest, costs.into_iter().min_by(f64::total_cmp))
    };
    let (vmkit, lli) = (flatness(|cost| cost.vmkit), flatness(|cost| cost.lli));
    let what = "from 1000 tiny functions on, the dearest / the cheapest";
    let goal = table.judge(what, vmkit, &show(vmkit), Goal::AtMost(1.3));
    let mut row = vec!["from 1000 on, the dearest / the cheapest".to_owned()];
    row.extend(vec![String::from("-"); 3]);
    row.extend([show(vmkit), show(lli), "-".into(), goal]);
    table.row(row);
}
