//! What vmkit adds to LLVM's own time, by the program's own statistics.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::measure::{Figure, measure, ratio, seconds};
use super::report::Table;
use crate::engine::Engine;
use crate::programs::{PROGRAMS, build};

const WORK: &[(&str, &[&str])] = &[
    ("lua", &["-e", "print(1)"]),
    ("sqlite", &["-e", "select 1"]),
    ("quickjs", &["-e", "print(1)"]),
];
const LEVELS: &[&str] = &["-O0", "-O2"];

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "What is added to LLVM's code generation",
        "From `--stats`: materialize (with clone) and link (with publish) over codegen.",
        &[
            "program",
            "functions known",
            "compiled",
            "load",
            "materialize",
            "optimize",
            "codegen",
            "link",
            "added / codegen",
            "goal",
        ],
    );
    let stats = bench.folder.join("stats.json");
    let option = format!("--stats={}", stats.display());
    let engine = Engine::vmkit(&[&option])?;
    for (name, args) in WORK {
        let program = PROGRAMS.iter().find(|program| program.name == *name);
        let built = build(&[program.context("an unknown program")?], 2)?.remove(0);
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        for level in LEVELS {
            let modules = std::slice::from_ref(&built.linked);
            let figure = measure(1, None, || engine.command(level, modules, &args))?;
            let title = format!("{name} {level}");
            table.row(match figure {
                Figure::Failed(why) => vec![title, why],
                Figure::Runs { .. } => row(title, &fs::read_to_string(&stats)?)?,
            });
        }
    }
    Ok(table)
}

fn row(title: String, text: &str) -> Result<Vec<String>> {
    let stats: Value = serde_json::from_str(text).context("--stats wrote no JSON")?;
    let phase = |name: &str| stats["seconds"][name].as_f64();
    let show = |name: &str| phase(name).map_or("-".into(), seconds);
    let added = phase("materialize").zip(phase("link")).map(|(a, b)| a + b);
    Ok(vec![
        title,
        stats["functions_known"].to_string(),
        stats["functions_compiled"].to_string(),
        show("load"),
        show("materialize"),
        show("optimize"),
        show("codegen"),
        show("link"),
        ratio(added, phase("codegen")),
        "0.350".into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_what_is_added() {
        let text = r#"{"functions_known": 10, "functions_compiled": 4,
            "seconds": {"load": 0.5, "materialize": 0.1, "codegen": 1.0, "link": 0.1}}"#;
        let row = row("x".into(), text).unwrap();
        assert_eq!(row[1..4], ["10", "4", "500 ms"]);
        assert_eq!(row[5], "-");
        assert_eq!(row[8], "0.200");
        assert!(super::row("x".into(), "no").is_err());
    }
}
