//! A Rust file as the rules see it: flat tokens with their lines, and which of them are tests.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Breach;

/// A token; a group's delimiters are tokens of their own.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// Inside a module that is only compiled for tests.
    pub(super) test: bool,
}

/// A lexed file. Comments are in `lines` alone.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) lines: Vec<&'a str>,
    pub(super) tokens: Vec<Token>,
}

impl<'a> Source<'a> {
    /// Lexes `text`.
    pub(super) fn parse(path: &'a str, text: &'a str) -> Result<Self, Breach> {
        let stream = TokenStream::from_str(text).map_err(|error| {
            let line = error.span().start().line;
            Breach::new(path, line, format!("cannot be lexed: {error}"), "make it compile first")
        })?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let all_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        if all_test {
            tokens.iter_mut().for_each(|token| token.test = true);
        } else {
            mark_tests(&mut tokens);
        }
        Ok(Source { path, lines: text.lines().collect(), tokens })
    }

    /// The text of token `index`, or nothing past the end.
    pub(super) fn text(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.text.as_str())
    }

    /// Whether the tokens from `index` on read `pattern`.
    pub(super) fn reads(&self, index: usize, pattern: &[&str]) -> bool {
        reads(&self.tokens, index, pattern)
    }
}

/// Whether `text` is an identifier or a keyword.
pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn reads(tokens: &[Token], index: usize, pattern: &[&str]) -> bool {
    let found = tokens.iter().skip(index).map(|token| token.text.as_str());
    found.take(pattern.len()).eq(pattern.iter().copied())
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let TokenTree::Group(group) = tree else {
            tokens.push(Token { text: tree.to_string(), line, test: false });
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => continue, // only macros make these
        };
        let end = group.span_close().end().line;
        tokens.push(Token { text: open.into(), line, test: false });
        flatten(group.stream(), tokens);
        tokens.push(Token { text: close.into(), line: end, test: false });
    }
}

/// Marks the bodies of modules under `#[cfg(test)]` or a `cfg` that asks for it among others.
fn mark_tests(tokens: &mut [Token]) {
    let mut index = 0;
    while index < tokens.len() {
        if reads(tokens, index, &["#", "[", "cfg", "("]) {
            let end = closing(tokens, index + 1);
            let body = &tokens[index..end];
            let has = |word: &str| body.iter().any(|token| token.text == word);
            if has("test")
                && !has("not")
                && let Some(open) = module_body(tokens, end + 1)
            {
                let close = closing(tokens, open);
                tokens[index..=close].iter_mut().for_each(|token| token.test = true);
                index = close;
            }
        }
        index += 1;
    }
}

/// The index of the brace that opens the module declared at `index`, past further attributes.
fn module_body(tokens: &[Token], mut index: usize) -> Option<usize> {
    while reads(tokens, index, &["#", "["]) {
        index = closing(tokens, index + 1) + 1;
    }
    (reads(tokens, index, &["mod"]) && reads(tokens, index + 2, &["{"])).then_some(index + 2)
}

/// The index of the token that closes the group opened at `open`.
pub(super) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_modules_are_marked() {
        let text = "fn a() {}\n#[cfg(test)]\n#[rustfmt::skip]\nmod t {\n fn b() {}\n}\nfn c() {}";
        let source = Source::parse("a.rs", text).unwrap();
        let marked = |name: &str| source.tokens.iter().find(|t| t.text == name).unwrap().test;
        assert_eq!(["a", "b", "c"].map(marked), [false, true, false]);
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let source = Source::parse("a.rs", "//! Doc.\n\nfn a(\n) {}").unwrap();
        let line = |name: &str| source.tokens.iter().find(|t| t.text == name).unwrap().line;
        assert_eq!(["fn", ")"].map(line), [3, 4]);
    }
}
