//! The form of files: their length, what they must not contain, and their names.

use super::Breach;
use super::source::{Source, is_word};

const MOST_LINES: usize = 400;
const MANY_LINES: usize = 300;
const ARCHITECTURE_LINES: usize = 150;

const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];
const EMPTY_NAMES: &[&str] = &["Manager", "Helper", "Util", "Utils", "Common", "Impl"];
const DECLARATIONS: &[&str] = &["struct", "enum", "union", "trait", "type", "mod"];

/// Checks one file.
pub(super) fn check(source: &Source<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    breaches.extend(check_length(source));
    breaches.extend(check_file_name(source.path));
    for index in 0..source.tokens.len() {
        let (text, line) = (source.text(index), source.tokens[index].line);
        if UNFINISHED.contains(&text) && source.text(index + 1) == "!" {
            let what = format!("`{text}!` is left in");
            breaches.push(Breach::new(source.path, line, what, "finish it or return an Error"));
        }
        let name = source.text(index + 1);
        if DECLARATIONS.contains(&text) && is_word(name) && is_empty_name(name) {
            breaches.push(empty_name(source.path, line, name));
        }
    }
    breaches
}

/// Checks that ARCHITECTURE.md stays a page that people read.
pub(super) fn check_architecture(path: &str, text: &str) -> Option<Breach> {
    let count = text.lines().count();
    let what = format!("{count} lines, at most {ARCHITECTURE_LINES} are allowed");
    (count > ARCHITECTURE_LINES)
        .then(|| Breach::new(path, ARCHITECTURE_LINES + 1, what, "keep the map, move the rest"))
}

fn check_length(source: &Source<'_>) -> Option<Breach> {
    let count = code_lines(source);
    let mend = "split it: one noun a file, of 100 to 300 lines";
    if count > MOST_LINES {
        let what = format!("{count} lines of code, at most {MOST_LINES} are allowed");
        Some(Breach::new(source.path, 1, what, mend))
    } else if count > MANY_LINES {
        let what = format!("{count} lines of code, more than {MANY_LINES}");
        Some(Breach::warning(source.path, 1, what, mend))
    } else {
        None
    }
}

/// Lines with code in them: not blank, not only a comment, not in a test module.
fn code_lines(source: &Source<'_>) -> usize {
    let mut test = vec![false; source.lines.len() + 2];
    for token in source.tokens.iter().filter(|token| token.test) {
        test[token.line] = true;
    }
    let is_code = |line: &str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("//")
    };
    let numbered = source.lines.iter().enumerate();
    numbered.filter(|(index, line)| is_code(line) && !test[index + 1]).count()
}

fn check_file_name(path: &str) -> Option<Breach> {
    let stem = path.rsplit('/').next()?.split('.').next()?;
    let capital = stem[..1].to_uppercase() + &stem[1..];
    is_empty_name(&capital).then(|| empty_name(path, 1, stem))
}

fn is_empty_name(name: &str) -> bool {
    let lower_module = name.starts_with(char::is_lowercase)
        && EMPTY_NAMES.iter().any(|empty| empty.eq_ignore_ascii_case(name.trim_end_matches('s')));
    lower_module || EMPTY_NAMES.iter().any(|empty| name.ends_with(empty))
}

fn empty_name(path: &str, line: usize, name: &str) -> Breach {
    let what = format!("the name `{name}` says nothing");
    Breach::new(path, line, what, "name it after what it holds or does")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(path: &str, text: &str, expected: &[&str]) {
        let breaches = check(&Source::parse(path, text).unwrap());
        assert_eq!(breaches.len(), expected.len(), "{breaches:?}");
        for (breach, part) in breaches.iter().zip(expected) {
            assert!(breach.to_string().contains(part), "{breach}");
        }
    }

    #[test]
    fn long_files_are_refused() {
        check_text("a/x.rs", &"fn f() {}\n".repeat(300), &[]);
        check_text("a/x.rs", &"fn f() {}\n".repeat(301), &["warning"]);
        check_text("a/x.rs", &"fn f() {}\n".repeat(401), &["at most"]);
    }

    #[test]
    fn comments_and_tests_have_no_length() {
        check_text("a/x.rs", &"// why\n\n".repeat(500), &[]);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}", "fn f() {}\n".repeat(500));
        check_text("a/x.rs", &tests, &[]);
    }

    #[test]
    fn unfinished_code_is_refused() {
        check_text("a/x.rs", "fn f() {\n todo!() }", &["a/x.rs:2: `todo!`"]);
        check_text("a/x.rs", "fn f() { unimplemented!() }", &["`unimplemented!`"]);
        check_text("a/x.rs", "fn f() { dbg!(1); }", &["`dbg!`"]);
        check_text("a/x.rs", "// todo!()\nfn todo() {}", &[]);
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        check_text("a/x.rs", "struct CodeManager;", &["`CodeManager`"]);
        check_text("a/x.rs", "trait Utils {}", &["`Utils`"]);
        check_text("a/x.rs", "mod helpers {}", &["`helpers`"]);
        check_text("a/utils.rs", "", &["`utils`"]);
        check_text("a/x.rs", "use llvm::PassManager; struct Commons; enum Simple {}", &[]);
    }

    #[test]
    fn the_map_stays_short() {
        assert_eq!(check_architecture("ARCHITECTURE.md", &"x\n".repeat(150)), None);
        assert!(check_architecture("ARCHITECTURE.md", &"x\n".repeat(151)).is_some());
    }
}
