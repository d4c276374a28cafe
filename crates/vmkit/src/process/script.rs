//! Linkers' scripts, which stand where a library's file is expected.

use std::fs::File;
use std::io::Read;

use super::search;
use crate::symbol::Addr;

/// Scripts in place of libraries are no longer than this.
const LENGTH: u64 = 1 << 14;

/// What to say of a file that is not a library but a linker's script in place of one; none if it is not.
pub(super) fn objection(file: &str) -> Option<String> {
    let mut text = String::new();
    let path = search::path(file, Addr(0))?;
    File::open(path).ok()?.take(LENGTH).read_to_string(&mut text).ok()?;
    let libraries = libraries(&text)?.join(", ");
    Some(format!(
        "it is a linker's script, not a library; the libraries that it names: {libraries}"
    ))
}

/// The shared libraries that a script names (GNU ld, "Commands Dealing with Files").
fn libraries(text: &str) -> Option<Vec<&str>> {
    let is_between = |character: char| character.is_whitespace() || "(),;\"".contains(character);
    let mut words = text.split(is_between).filter(|word| !word.is_empty());
    words.find(|word| ["INPUT", "GROUP"].contains(word))?;
    let is_library = |word: &&str| word.starts_with("-l") || word.contains(".so");
    Some(words.filter(is_library).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&[&str]>) {
        assert_eq!(libraries(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn libraries_are_named_in_scripts() {
        check("INPUT(libncurses.so.6 -ltinfo)", Some(&["libncurses.so.6", "-ltinfo"]));
        check(
            "/* a.so */ OUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /l/libc.so.6 /l/n.a AS_NEEDED ( /l/ld.so.2 ) )",
            Some(&["/l/libc.so.6", "/l/ld.so.2"]),
        );
        check("a library libc.so.6", None);
        check("", None);
    }

    #[test]
    fn what_is_no_text_is_no_script() {
        assert_eq!(objection("/proc/self/exe"), None);
        assert_eq!(objection("/no/such/file"), None);
    }
}
