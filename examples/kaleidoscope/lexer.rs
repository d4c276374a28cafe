//! From text to words, numbers and signs.

/// A token. Keywords are words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Number(f64),
    Sign(char),
}

/// The tokens of a text, each with the byte at which it starts.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = skip_blanks(rest);
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let length = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                length_of(rest, |c| c.is_ascii_alphanumeric() || c == '_')
            }
            '0'..='9' | '.' => length_of(rest, |c| c.is_ascii_digit() || c == '.'),
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        found.push((text.len() - rest.len(), token(first, word)?));
        rest = after;
    }
}

fn token(first: char, word: &str) -> Result<Token, String> {
    match first {
        'a'..='z' | 'A'..='Z' | '_' => Ok(Token::Word(word.into())),
        '0'..='9' | '.' => {
            word.parse().map(Token::Number).map_err(|_| format!("{word} is not a number"))
        }
        _ if first.is_ascii_graphic() => Ok(Token::Sign(first)),
        _ => Err(format!("{first:?} means nothing here")),
    }
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The text behind white space and comments, which go to the end of the line.
fn skip_blanks(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with('#') {
        rest = rest.find('\n').map_or("", |end| &rest[end..]).trim_start();
    }
    rest
}
