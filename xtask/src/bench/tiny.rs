//! Many tiny functions in one module: whether the cost of one depends on how many there are.

use std::path::PathBuf;

use anyhow::Result;

use super::measure::{Figure, Make, measure, measure_in_turns, net, ratio, seconds};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;

const COUNTS: &[usize] = &[500, 1_000, 2_000, 5_000, 10_000, 50_000];
/// `lli`'s lazy mode takes more than a minute beyond this.
const MOST_ORC_LAZY: usize = 2_000;

/// One count and its time per function for vmkit and eager `lli`.
type Costs = (usize, Option<f64>, Option<f64>);

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "n tiny functions in one module, all called once",
        "Per function: the wall time less that of one function, divided by n. All at -O0, vmkit and \
         orc-lazy lazily.",
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
    let vmkit = Engine::vmkit(&["-O0"])?;
    let lli = Engine::lli(&["-O0"]);
    let lazy = Engine::lli(&["-O0", "--jit-kind=orc-lazy"]);
    let both = |module: &PathBuf| -> Result<(Figure, Figure)> {
        let modules = std::slice::from_ref(module);
        let commands: [Make<'_>; 2] = [
            Box::new(|| vmkit.command("", modules, &[])),
            Box::new(|| lli.command("", modules, &[])),
        ];
        let mut figures = measure_in_turns(bench.repeats, None, &commands)?;
        Ok((figures.remove(0), figures.remove(0)))
    };
    let (vmkit_start, lli_start) = both(&generate::tiny(&bench.folder, 1, true)?)?;
    let mut costs: Vec<Costs> = Vec::new();
    for &n in COUNTS.iter().filter(|&&n| !bench.quick || n <= 2_000) {
        let module = generate::tiny(&bench.folder, n, true)?;
        let (vmkit, lli) = both(&module)?;
        let most = if bench.quick { MOST_ORC_LAZY / 4 } else { MOST_ORC_LAZY };
        let lazy = if n <= most {
            measure(1, None, || lazy.command("", std::slice::from_ref(&module), &[]))?.time()
        } else {
            "-".into()
        };
        let vmkit_each = each(&vmkit, &vmkit_start, n);
        let lli_each = each(&lli, &lli_start, n);
        costs.push((n, vmkit_each, lli_each));
        table.row(vec![
            n.to_string(),
            vmkit.time(),
            lli.time(),
            lazy,
            vmkit_each.map_or("-".into(), seconds),
            lli_each.map_or("-".into(), seconds),
            ratio(vmkit_each, lli_each),
            "0.350".into(),
        ]);
    }
    table.row(flatness(&costs));
    Ok(table)
}

fn each(all: &Figure, one: &Figure, n: usize) -> Option<f64> {
    Some(net(all.seconds(), one.seconds())? / n as f64)
}

/// The largest cost over the smallest, from 1,000 functions on.
fn flatness(costs: &[Costs]) -> Vec<String> {
    let of = |pick: fn(&Costs) -> Option<f64>| {
        let costs = costs.iter().filter(|(n, ..)| *n >= 1_000);
        let costs: Option<Vec<f64>> = costs.map(pick).collect();
        let costs = costs.unwrap_or_default().into_iter();
        ratio(costs.clone().max_by(f64::total_cmp), costs.min_by(f64::total_cmp))
    };
    let name = "from 1000 on, the dearest / the cheapest".to_owned();
    let blank = || String::from("-");
    let (vmkit, lli) = (of(|costs| costs.1), of(|costs| costs.2));
    vec![name, blank(), blank(), blank(), vmkit, lli, blank(), "1.300".into()]
}
