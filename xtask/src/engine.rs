//! The program that runs bitcode: `vmkit`, or another one that is given as a template.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::place;

/// How to call the program that runs bitcode.
///
/// A word of the template that is exactly `{O}` stands for the level (`-O2`, or nothing), `{mods}`
/// for all modules, `{main}` for the first, `{extra}` for `--extra-module=` before each of the
/// others, `{args}` for the program's arguments.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    words: Vec<String>,
}

impl Engine {
    /// `vmkit run`, freshly built, with `options`.
    pub(crate) fn vmkit(options: &[&str]) -> Result<Self> {
        let vmkit = place::vmkit()?.into_os_string().into_string();
        let vmkit = vmkit.ok().context("the path of vmkit is not UTF-8")?;
        Ok(Engine { words: vec![vmkit] }
            .and(&["run"])
            .and(options)
            .and(&["{O}", "{mods}", "--", "{args}"]))
    }

    /// `lli` with `options`.
    pub(crate) fn lli(options: &[&str]) -> Self {
        let lli = Engine { words: vec!["lli-22".into()] };
        lli.and(options).and(&["{O}", "{extra}", "{main}", "{args}"])
    }

    /// What `--engine` says, or `vmkit`.
    ///
    /// # Errors
    ///
    /// When the template names no module, or `vmkit` does not build.
    pub(crate) fn from_option(template: Option<&str>) -> Result<Self> {
        let Some(template) = template else {
            return Engine::vmkit(&[]);
        };
        let words: Vec<String> = template.split_whitespace().map(Into::into).collect();
        let names_modules = words.iter().any(|word| word == "{mods}" || word == "{main}");
        ensure!(names_modules, "--engine: {{mods}} or {{main}} is missing");
        Ok(Engine { words })
    }

    fn and(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// The command that runs `modules` at `level` (empty for the engine's default).
    pub(crate) fn command(&self, level: &str, modules: &[PathBuf], args: &[String]) -> Command {
        let mut command = Command::new(&self.words[0]);
        for word in &self.words[1..] {
            match word.as_str() {
                "{O}" if level.is_empty() => {}
                "{O}" => drop(command.arg(level)),
                "{mods}" => drop(command.args(modules)),
                "{main}" => drop(command.arg(&modules[0])),
                "{extra}" => drop(command.args(modules[1..].iter().map(|module| extra(module)))),
                "{args}" => drop(command.args(args)),
                _ => drop(command.arg(word)),
            }
        }
        command
    }
}

fn extra(module: &Path) -> String {
    format!("--extra-module={}", module.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(engine: &Engine, level: &str, expected: &[&str]) {
        let modules = ["a.bc", "b.bc"].map(PathBuf::from);
        let command = engine.command(level, &modules, &["x".into()]);
        let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn templates_are_filled() {
        let engine = Engine::from_option(Some("run {O} {mods} -- {args}")).unwrap();
        check(&engine, "-O2", &["-O2", "a.bc", "b.bc", "--", "x"]);
        check(&engine, "", &["a.bc", "b.bc", "--", "x"]);
        check(&Engine::lli(&["-v"]), "-O0", &["-v", "-O0", "--extra-module=b.bc", "a.bc", "x"]);
    }

    #[test]
    fn a_template_without_modules_is_refused() {
        assert!(Engine::from_option(Some("true {O}")).is_err());
    }
}
