//! Which crate may import which.

use toml::{Table, Value};

use super::Breach;

/// Each crate with those of ours that it may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("vmkit", &[]),
    ("vmkit-llvm", &["vmkit"]),
    ("vmkit-cranelift", &["vmkit"]),
    ("vmkit-gc", &["vmkit"]),
    ("vmkit-java", &["vmkit", "vmkit-llvm", "vmkit-cranelift", "vmkit-gc"]),
    ("vmkit-cli", &["vmkit", "vmkit-llvm", "vmkit-cranelift", "vmkit-gc", "vmkit-java"]),
    ("vmkit-examples", &["vmkit", "vmkit-llvm", "vmkit-cranelift", "vmkit-gc"]),
    ("xtask", &[]),
];

/// What `vmkit` must not know, not even in its tests.
const COMPILERS: &[&str] = &["inkwell", "llvm-", "cranelift", "wasmtime", "gccjit"];

const HERE: &str = "xtask/src/tidy/crates.rs";

/// Checks the `Cargo.toml` of one crate.
pub(super) fn check(path: &str, text: &str) -> Vec<Breach> {
    let manifest: Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Breach::new(path, 1, error.to_string(), "make it parse")],
    };
    let name = manifest.get("package").and_then(|package| package.get("name"));
    let name = name.and_then(Value::as_str).unwrap_or_default();
    let Some((_, allowed)) = CRATES.iter().find(|(known, _)| *known == name) else {
        let what = format!("the crate `{name}` is in no line of the table of crates");
        return vec![Breach::new(path, 1, what, format!("say in {HERE} what it may import"))];
    };
    let mut breaches = Vec::new();
    for dependency in dependencies(&manifest) {
        let ours = CRATES.iter().any(|(known, _)| *known == dependency);
        let line = line_of(text, &dependency);
        if ours && !allowed.contains(&dependency.as_str()) {
            let what = format!("`{name}` depends on `{dependency}`");
            let mend = format!("turn the dependency round; who may import whom is in {HERE}");
            breaches.push(Breach::new(path, line, what, mend));
        }
        if name == "vmkit" && COMPILERS.iter().any(|compiler| dependency.starts_with(compiler)) {
            let what = format!("`vmkit` names a compiler: `{dependency}`");
            breaches.push(Breach::new(path, line, what, "what needs a compiler is a backend's"));
        }
    }
    breaches
}

/// Names of the packages depended on, for any target and purpose.
fn dependencies(table: &Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in table {
        let Value::Table(value) = value else { continue };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                names.extend(value.iter().map(|(key, entry)| {
                    let package = entry.get("package").and_then(Value::as_str);
                    package.unwrap_or(key).to_owned()
                }));
            }
            "target" => {
                let targets = value.values().filter_map(Value::as_table);
                names.extend(targets.flat_map(dependencies));
            }
            _ => {}
        }
    }
    names
}

fn line_of(text: &str, name: &str) -> usize {
    let names_it = |line: &str| {
        let key = line.trim_start().trim_start_matches("[dependencies.");
        key.starts_with(name) || line.contains(&format!("\"{name}\""))
    };
    text.lines()
        .skip_while(|line| !line.contains("dependencies]"))
        .position(names_it)
        .map_or(1, |after| {
            after + 1 + text.lines().position(|l| l.contains("dependencies]")).unwrap_or(0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_dependencies(name: &str, dependencies: &str, expected: &[usize]) {
        let text = format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}\n");
        let lines: Vec<usize> = check("Cargo.toml", &text).iter().map(|b| b.line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_table_is_obeyed() {
        check_dependencies("vmkit", "object = \"1\"", &[]);
        check_dependencies("vmkit-llvm", "vmkit.workspace = true\ninkwell = \"0.11\"", &[]);
        check_dependencies("vmkit", "a = \"1\"\nvmkit-llvm.workspace = true", &[5]);
        check_dependencies("vmkit-llvm", "vmkit-cranelift = { path = \"x\" }", &[4]);
        check_dependencies("xtask", "vmkit.workspace = true", &[4]);
    }

    #[test]
    fn renamed_and_per_target_dependencies_count() {
        check_dependencies("vmkit", "x = { package = \"vmkit-llvm\", path = \"x\" }", &[4]);
        check_dependencies("vmkit", "[target.'cfg(unix)'.dependencies]\nllvm-sys = \"1\"", &[5]);
    }

    #[test]
    fn the_core_names_no_compiler() {
        check_dependencies("vmkit", "inkwell = \"0.11\"", &[4]);
        check_dependencies("vmkit", "cranelift-codegen = \"1\"", &[4]);
    }

    #[test]
    fn an_unknown_crate_is_refused() {
        check_dependencies("vmkit-common", "", &[1]);
    }
}
