//! From tokens to items.

use std::collections::HashMap;

use crate::lexer::{Token, tokens};
use crate::syntax::{Expression, Function, Item, Operator, Prototype, operator_name};

const KEYWORDS: [&str; 10] =
    ["def", "extern", "if", "then", "else", "for", "in", "var", "binary", "unary"];
/// Signs that are never operators.
const PUNCTUATION: [char; 4] = ['(', ')', ',', ';'];
const ASSIGNMENT: u32 = 2;
const DEFAULT_PRECEDENCE: u32 = 30;

/// Why a text is no item.
#[derive(Debug, PartialEq)]
pub(crate) enum Trouble {
    /// It could be the beginning of one.
    Incomplete,
    Wrong(String),
}

type Parsed<T> = Result<T, Trouble>;

/// How tightly binary operators bind; higher is tighter.
pub(crate) struct Precedences(HashMap<char, u32>);

impl Precedences {
    /// Those of the language itself.
    pub(crate) fn new() -> Self {
        Self([('<', 10), ('+', 20), ('-', 20), ('*', 40), ('/', 40)].into())
    }
}

/// The first item of a text, if there is any, and how many bytes of the text it takes.
pub(crate) fn first_item(
    text: &str,
    precedences: &mut Precedences,
) -> Parsed<Option<(Item, usize)>> {
    let tokens = tokens(text).map_err(Trouble::Wrong)?;
    let mut parser = Parser { tokens, at: 0, precedences };
    while parser.take_sign(';') {}
    if parser.peek().is_none() {
        return Ok(None);
    }
    let item = parser.item()?;
    match parser.peek() {
        None | Some(Token::Sign(';')) => {}
        Some(other) => return Err(unexpected(other, "the end of the line or ';'")),
    }
    let end = parser.tokens.get(parser.at).map_or(text.len(), |(start, _)| *start);
    Ok(Some((item, end)))
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    precedences: &'a mut Precedences,
}

impl Parser<'_> {
    fn item(&mut self) -> Parsed<Item> {
        if self.take_word("def") {
            let prototype = self.prototype(true)?;
            Ok(Item::Define(Function { prototype, body: self.expression()? }))
        } else if self.take_word("extern") {
            self.prototype(false).map(Item::Extern)
        } else {
            self.expression().map(Item::Evaluate)
        }
    }

    /// `name(a b)`, `unary! (a)` or `binary| 5 (a b)`.
    fn prototype(&mut self, may_be_operator: bool) -> Parsed<Prototype> {
        let word = self.word("a name")?;
        let kind = ["unary", "binary"].into_iter().find(|kind| *kind == word && may_be_operator);
        let name = match kind {
            Some(kind) => self.operator(kind)?,
            None => self.name(word)?,
        };
        self.expect('(')?;
        let mut parameters = Vec::new();
        while !self.take_sign(')') {
            let word = self.word("a parameter or ')'")?;
            parameters.push(self.name(word)?);
            self.take_sign(',');
        }
        let wanted = match kind {
            Some("unary") => 1,
            Some(_) => 2,
            None => parameters.len(),
        };
        if parameters.len() != wanted {
            let kind = kind.unwrap_or_default();
            let what = format!("a {kind} operator has not {} parameters", parameters.len());
            return Err(Trouble::Wrong(what));
        }
        Ok(Prototype { name, parameters })
    }

    fn operator(&mut self, kind: &str) -> Parsed<String> {
        let sign = match self.next()? {
            Token::Sign(sign) if !PUNCTUATION.contains(&sign) => sign,
            other => return Err(unexpected(&other, "an operator")),
        };
        if kind == "binary" {
            if built_in(sign).is_some() || sign == '=' {
                return Err(Trouble::Wrong(format!("the operator {sign} is the language's own")));
            }
            let precedence = self.precedence()?;
            self.precedences.0.insert(sign, precedence);
        }
        Ok(operator_name(kind, sign))
    }

    fn precedence(&mut self) -> Parsed<u32> {
        let Some(&Token::Number(number)) = self.peek() else { return Ok(DEFAULT_PRECEDENCE) };
        self.at += 1;
        if !(1.0..=100.0).contains(&number) {
            return Err(Trouble::Wrong("a precedence is from 1 to 100".into()));
        }
        Ok(number as u32)
    }

    fn expression(&mut self) -> Parsed<Expression> {
        let left = self.unary()?;
        self.operations(left, 0)
    }

    /// What follows `left`, as far as operators bind more tightly than `least`.
    fn operations(&mut self, mut left: Expression, least: u32) -> Parsed<Expression> {
        while let Some((sign, precedence)) = self.binary_operator()
            && precedence > least
        {
            self.at += 1;
            let operand = self.unary()?;
            // `a = b = c` is grouped from the right, all others from the left.
            let takes = if sign == '=' { precedence - 1 } else { precedence };
            let right = Box::new(self.operations(operand, takes)?);
            left = match (left, built_in(sign)) {
                (Expression::Variable(name), _) if sign == '=' => Expression::Assign(name, right),
                _ if sign == '=' => {
                    return Err(Trouble::Wrong("only a variable can be assigned to".into()));
                }
                (left, Some(operator)) => Expression::Binary(operator, Box::new(left), right),
                (left, None) => Expression::Call(operator_name("binary", sign), vec![left, *right]),
            };
        }
        Ok(left)
    }

    fn binary_operator(&self) -> Option<(char, u32)> {
        let Some(&Token::Sign(sign)) = self.peek() else { return None };
        let precedence = if sign == '=' { ASSIGNMENT } else { *self.precedences.0.get(&sign)? };
        Some((sign, precedence))
    }

    fn unary(&mut self) -> Parsed<Expression> {
        match self.peek() {
            Some(&Token::Sign(sign)) if !PUNCTUATION.contains(&sign) => {
                self.at += 1;
                Ok(Expression::Call(operator_name("unary", sign), vec![self.unary()?]))
            }
            _ => self.primary(),
        }
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.next()? {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Sign('(') => {
                let inner = self.expression()?;
                self.expect(')')?;
                Ok(inner)
            }
            Token::Word(word) => match word.as_str() {
                "if" => self.conditional(),
                "for" => self.repetition(),
                "var" => self.variables(),
                _ => self.variable_or_call(word),
            },
            other => Err(unexpected(&other, "an expression")),
        }
    }

    fn variable_or_call(&mut self, word: String) -> Parsed<Expression> {
        let name = self.name(word)?;
        if !self.take_sign('(') {
            return Ok(Expression::Variable(name));
        }
        let mut arguments = Vec::new();
        while !self.take_sign(')') {
            if !arguments.is_empty() {
                self.expect(',')?;
            }
            arguments.push(self.expression()?);
        }
        Ok(Expression::Call(name, arguments))
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.expression()?;
        self.expect_word("then")?;
        let yes = self.expression()?;
        self.expect_word("else")?;
        Ok(Expression::If(Box::new([condition, yes, self.expression()?])))
    }

    fn repetition(&mut self) -> Parsed<Expression> {
        let (variable, start) = self.binding()?;
        let start =
            start.ok_or_else(|| Trouble::Wrong(format!("{variable} has no first value")))?;
        self.expect(',')?;
        let condition = self.expression()?;
        let step = if self.take_sign(',') { self.expression()? } else { Expression::Number(1.0) };
        self.expect_word("in")?;
        let body = self.expression()?;
        Ok(Expression::For(variable, Box::new([start, condition, step, body])))
    }

    fn variables(&mut self) -> Parsed<Expression> {
        let mut bindings = Vec::new();
        loop {
            let (name, value) = self.binding()?;
            bindings.push((name, value.unwrap_or(Expression::Number(0.0))));
            if !self.take_sign(',') {
                break;
            }
        }
        self.expect_word("in")?;
        Ok(Expression::Var(bindings, Box::new(self.expression()?)))
    }

    /// `name` or `name = value`.
    fn binding(&mut self) -> Parsed<(String, Option<Expression>)> {
        let word = self.word("a variable")?;
        let name = self.name(word)?;
        let value = if self.take_sign('=') { Some(self.expression()?) } else { None };
        Ok((name, value))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Parsed<Token> {
        let token = self.peek().cloned().ok_or(Trouble::Incomplete)?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, wanted: impl Fn(&Token) -> bool) -> bool {
        let is_there = self.peek().is_some_and(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn take_sign(&mut self, sign: char) -> bool {
        self.take(|token| *token == Token::Sign(sign))
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(|token| matches!(token, Token::Word(found) if found == word))
    }

    fn expect(&mut self, sign: char) -> Parsed<()> {
        match self.next()? {
            Token::Sign(found) if found == sign => Ok(()),
            other => Err(unexpected(&other, &format!("'{sign}'"))),
        }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        match self.next()? {
            Token::Word(found) if found == word => Ok(()),
            other => Err(unexpected(&other, word)),
        }
    }

    fn word(&mut self, wanted: &str) -> Parsed<String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(unexpected(&other, wanted)),
        }
    }

    /// The word, unless it means something else.
    fn name(&self, word: String) -> Parsed<String> {
        if KEYWORDS.contains(&word.as_str()) {
            return Err(Trouble::Wrong(format!("{word} is no name")));
        }
        Ok(word)
    }
}

fn built_in(sign: char) -> Option<Operator> {
    Some(match sign {
        '+' => Operator::Add,
        '-' => Operator::Subtract,
        '*' => Operator::Multiply,
        '/' => Operator::Divide,
        '<' => Operator::Less,
        _ => return None,
    })
}

fn unexpected(token: &Token, wanted: &str) -> Trouble {
    let found = match token {
        Token::Word(word) => word.clone(),
        Token::Number(number) => number.to_string(),
        Token::Sign(sign) => format!("'{sign}'"),
    };
    Trouble::Wrong(format!("{found} where {wanted} should be"))
}
