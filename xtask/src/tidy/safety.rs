//! `unsafe` stands only in files that say why, and each use says what makes it sound.

use super::Breach;
use super::source::{Source, is_word};

/// How many lines before an `unsafe` its `SAFETY:` comment may stand.
const REACH: usize = 6;

/// Checks one file.
pub(super) fn check(source: &Source<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let opened = opens_unsafe(source);
    for index in 0..source.tokens.len() {
        if source.text(index) != "unsafe" || names_a_type(source, index) {
            continue;
        }
        let line = source.tokens[index].line;
        if !opened {
            let what = "`unsafe` in a file that does not say why";
            let mend = "say #![expect(unsafe_code, reason = \"...\")] at its top, \
                        or move the unsafe part to a file that does";
            breaches.push(Breach::new(source.path, line, what, mend));
        }
        let needs_comment = matches!(source.text(index + 1), "{" | "impl");
        if needs_comment && !has_comment(source, line) {
            let what = "`unsafe` without a SAFETY comment";
            let mend = "say in a // SAFETY: comment which invariant holds and who keeps it";
            breaches.push(Breach::new(source.path, line, what, mend));
        }
    }
    breaches
}

/// Whether the file says so at its top, or at the one item that is unsafe. That nothing else is, the
/// compiler sees to.
fn opens_unsafe(source: &Source<'_>) -> bool {
    let opening = ["[", "expect", "(", "unsafe_code", ",", "reason", "="];
    (0..source.tokens.len()).any(|index| source.reads(index, &opening))
}

/// Whether the `unsafe` at `index` belongs to the type of a function pointer, as in
/// `unsafe extern "C" fn(u64)`.
fn names_a_type(source: &Source<'_>, index: usize) -> bool {
    let mut at = index + 1;
    if source.text(at) == "extern" {
        at += 1;
        if source.text(at).starts_with('"') {
            at += 1;
        }
    }
    source.text(at) == "fn" && !is_word(source.text(at + 1))
}

fn has_comment(source: &Source<'_>, line: usize) -> bool {
    let from = line.saturating_sub(REACH + 1);
    source.lines[from..line].iter().any(|text| text.contains("SAFETY:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "#![expect(unsafe_code, reason = \"maps memory\")]\n";

    fn check_text(text: &str, expected: &[(usize, &str)]) {
        let breaches = check(&Source::parse("crates/vmkit/src/a.rs", text).unwrap());
        assert_eq!(breaches.len(), expected.len(), "{breaches:?}");
        for (breach, (line, part)) in breaches.iter().zip(expected) {
            assert!(breach.line == *line && breach.what.contains(part), "{breach}");
        }
    }

    #[test]
    fn an_explained_unsafe_passes() {
        check_text(&format!("{OPEN}fn f() {{\n // SAFETY: x\n unsafe {{ g() }} }}"), &[]);
        check_text(&format!("{OPEN}unsafe impl Send for X {{}} // SAFETY: x"), &[]);
        check_text(&format!("{OPEN}unsafe fn f() {{}}"), &[]);
        check_text("#[expect(unsafe_code, reason = \"x\")]\nunsafe fn f() {}", &[]);
    }

    #[test]
    fn an_unexplained_unsafe_fails() {
        check_text(&format!("{OPEN}fn f() {{ unsafe {{ g() }} }}"), &[(2, "SAFETY")]);
        check_text(&format!("{OPEN}unsafe impl Send for X {{}}"), &[(2, "SAFETY")]);
        let far = format!("{OPEN}// SAFETY: too far\n\n\n\n\n\n\nunsafe impl Send for X {{}}");
        check_text(&far, &[(9, "SAFETY")]);
    }

    #[test]
    fn a_file_must_open_it() {
        check_text("unsafe fn f() {}", &[(1, "does not say why")]);
        check_text("#[unsafe(no_mangle)] fn f() {}", &[(1, "does not say why")]);
        check_text("unsafe extern \"C\" { fn f(); }", &[(1, "does not say why")]);
    }

    #[test]
    fn types_words_and_strings_are_free() {
        check_text("type F = unsafe extern \"C\" fn(u64); type G = unsafe fn();", &[]);
        check_text("// unsafe\nconst S: &str = \"unsafe { }\";", &[]);
    }
}
