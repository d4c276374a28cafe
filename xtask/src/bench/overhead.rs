//! What vmkit adds to LLVM's own time, by the program's own statistics.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::measure::{Figure, measure, median, quotient, show};
use super::report::{Goal, Table};
use crate::engine::Engine;
use crate::programs::Built;
use crate::units::seconds;

const WORK: &[(&str, &[&str])] = &[
    ("lua", &["-e", "print(1)"]),
    ("sqlite", &["-e", "select 1"]),
    ("quickjs", &["-e", "print(1)"]),
    ("leveldb", &["500"]),
];
const LEVELS: &[&str] = &["-O0", "-O2"];
const PHASES: [&str; 5] = ["load", "materialize", "optimize", "codegen", "link"];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "What is added to LLVM's code generation",
        "From `--stats`, medians of the runs: materialize (with clone) and link (with publish) \
         over codegen.",
        &[
            "program",
            "functions known",
            "compiled",
            "load",
            "materialize",
            "optimize",
            "codegen",
            "link",
            "added per function",
            "added / codegen",
            "goal",
        ],
    );
    for (name, args) in WORK {
        let built = bench.program(name)?;
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        for level in LEVELS {
            let title = format!("{name} `{}` {level}", args.join(" "));
            match collect(bench, &built, level, &args)? {
                Ok(runs) => judge(&mut table, title, &runs),
                Err(why) => table.row(vec![title, why]),
            }
        }
    }
    Ok(table)
}

/// The statistics of each run, or how one failed.
fn collect(
    bench: &Bench,
    built: &Built,
    level: &str,
    args: &[String],
) -> Result<Result<Vec<Value>, String>> {
    let file = bench.folder.join("stats.json");
    let engine = Engine::vmkit(&[&format!("--stats={}", file.display())])?;
    let modules = std::slice::from_ref(&built.linked);
    let scratch = bench.scratch()?;
    let mut runs = Vec::new();
    for _ in 0..bench.repeats {
        let figure = measure(1, None, || {
            let mut command = engine.command(level, modules, args);
            command.current_dir(&scratch);
            command
        })?;
        match figure {
            Figure::Failed(why) => return Ok(Err(why)),
            Figure::Runs { .. } => runs.push(read(&file)?),
        }
    }
    Ok(Ok(runs))
}

fn read(file: &Path) -> Result<Value> {
    serde_json::from_str(&fs::read_to_string(file)?).context("--stats wrote no JSON")
}

fn judge(table: &mut Table, title: String, runs: &[Value]) {
    let phase = |run: &Value, name: &str| run["seconds"][name].as_f64();
    let of =
        |figure: &dyn Fn(&Value) -> Option<f64>| median(runs.iter().filter_map(figure).collect());
    let added = |run: &Value| Some(phase(run, "materialize")? + phase(run, "link")?);
    let each = of(&|run| Some(added(run)? / run["functions_compiled"].as_f64()?));
    let part = of(&|run| quotient(added(run), phase(run, "codegen")));
    let mut row = vec![title.clone()];
    row.extend(["functions_known", "functions_compiled"].map(|key| runs[0][key].to_string()));
    let time = |time: Option<f64>| time.map_or("-".into(), seconds);
    row.extend(PHASES.map(|name| time(of(&|run| phase(run, name)))));
    row.extend([time(each), show(part)]);
    let what = format!("{title}: added / codegen");
    row.push(table.judge(&what, part, &show(part), Goal::AtMost(0.35)));
    table.row(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_what_is_added() {
        let text = r#"{"functions_known": 10, "functions_compiled": 4,
            "seconds": {"load": 0.5, "materialize": 0.1, "codegen": 1.0, "link": 0.1}}"#;
        let mut table = Table::new("T", "About.", &[""; 11]);
        judge(&mut table, "x".into(), &[serde_json::from_str(text).unwrap()]);
        let expected = "| x | 10 | 4 | 500 ms | 100 ms | - | 1.00 s | 100 ms | 50.0 ms | 0.200 | \
                        ≤ 0.35, met |\n";
        assert!(table.markdown().ends_with(expected), "{}", table.markdown());
    }
}
