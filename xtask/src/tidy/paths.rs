//! No file names a place that exists on one machine only.

use super::Breach;

/// Folders at the root of the file system that are somebody's own.
const OWN_FOLDERS: &[&str] = &["work", "root", "home"];

/// Checks the text of any file.
pub(super) fn check(path: &str, text: &str) -> Vec<Breach> {
    let numbered = text.lines().enumerate();
    let hits = numbered.filter_map(|(index, line)| Some((index + 1, own_folder(line)?)));
    hits.map(|(line, folder)| {
        let what = format!("names the absolute path /{folder}/...");
        Breach::new(path, line, what, "make it relative, or let the environment say it")
    })
    .collect()
}

fn own_folder(line: &str) -> Option<&'static str> {
    OWN_FOLDERS.iter().copied().find(|folder| {
        let path = format!("/{folder}/");
        line.match_indices(&path).any(|(at, _)| !line[..at].ends_with(continues_a_path))
    })
}

/// Whether a path goes on before a `/` that follows this character.
fn continues_a_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | ')' | '*' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_line(line: &str, expected: bool) {
        assert_eq!(!check("a.md", line).is_empty(), expected, "{line}");
    }

    #[test]
    fn absolute_machine_paths_are_refused() {
        for folder in OWN_FOLDERS {
            check_line(&format!("see /{folder}/main/x"), true);
            check_line(&format!("\"/{folder}/x\""), true);
        }
    }

    #[test]
    fn other_paths_are_free() {
        for folder in OWN_FOLDERS {
            check_line(&format!("docs/{folder}/x ${{HOME}}/{folder}/x ../{folder}/x"), false);
        }
        check_line("/usr/lib/llvm-22", false);
    }
}
