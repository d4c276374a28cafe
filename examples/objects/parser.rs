//! From text to tree.
//!
//! ```text
//! class Square : Base, Shape {            // one class at most, any number of interfaces
//!   var side: int;
//!   fn init(side: int) { this.side = side; }
//!   fn area(): int { return this.side * this.side; }
//! }
//! interface Shape { fn area(): int; }
//! fn main() {
//!   try { print new Square(3).area(); } catch (e: NullError) { throw e; }
//!   var thread = spawn new Worker();      // runs its method `run`
//!   while (1 < 0 || !0) { print join thread; }
//! }
//! ```
//!
//! Types are `int` and the names of classes and interfaces; what has no type gives an `int`.

use std::sync::Arc;

use super::syntax::{Catch, Declared, Expr, Function, Stmt, Tree, Type};

type Result<T> = std::result::Result<T, String>;

/// Operators by how tightly they bind, the loosest first.
const BINARY: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<", "<=", ">", ">="], &["+", "-"], &["*", "/", "%"]];

/// Tokens of more than one character that are not words.
const LONG: [&str; 6] = ["||", "&&", "==", "!=", "<=", ">="];

struct Parser<'a> {
    /// With their lines, the next one last.
    tokens: Vec<(&'a str, usize)>,
    line: usize,
}

/// The tree of a source text.
pub(crate) fn parse(text: &str) -> Result<Tree> {
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split_once("//").map_or(line, |(code, _)| code);
        split(line, |token| tokens.push((token, number + 1)));
    }
    tokens.reverse();
    let mut parser = Parser { tokens, line: 1 };
    let line = |parser: &Parser<'_>, what| format!("line {}: {what}", parser.line);
    parser.tree().map_err(|what| line(&parser, what))
}

fn split<'a>(mut line: &'a str, mut found: impl FnMut(&'a str)) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    loop {
        line = line.trim_start();
        let Some(first) = line.chars().next() else { return };
        let len = if is_word(first) {
            line.find(|c| !is_word(c)).unwrap_or(line.len())
        } else if LONG.iter().any(|long| line.starts_with(long)) {
            2
        } else {
            first.len_utf8()
        };
        found(&line[..len]);
        line = &line[len..];
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.last().map_or("", |token| token.0)
    }

    fn next(&mut self) -> Result<&'a str> {
        let (token, line) = self.tokens.pop().ok_or("the text ends too early")?;
        self.line = line;
        Ok(token)
    }

    fn accept(&mut self, token: &str) -> bool {
        let is_there = self.peek() == token;
        if is_there {
            (_, self.line) = self.tokens.pop().expect("one is there");
        }
        is_there
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        let found = self.next()?;
        if found == wanted { Ok(()) } else { Err(format!("{wanted} expected, not {found}")) }
    }

    fn name(&mut self) -> Result<String> {
        let token = self.next()?;
        let is_name = token.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if is_name { Ok(token.into()) } else { Err(format!("a name expected, not {token}")) }
    }

    /// Items up to `end`, with commas between.
    fn list<T>(&mut self, end: &str, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while !self.accept(end) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn tree(&mut self) -> Result<Tree> {
        let mut tree = Tree::default();
        while !self.tokens.is_empty() {
            match self.next()? {
                "fn" => tree.functions.push(Arc::new(self.function(true)?)),
                word @ ("class" | "interface") => tree.types.push(self.declared(word)?),
                other => return Err(format!("a declaration expected, not {other}")),
            }
        }
        Ok(tree)
    }

    fn declared(&mut self, word: &str) -> Result<Declared> {
        let (name, is_interface) = (self.name()?, word == "interface");
        let supers = if self.accept(":") { self.list("{", Self::name)? } else { Vec::new() };
        if supers.is_empty() {
            self.expect("{")?;
        }
        let (mut fields, mut methods) = (Vec::new(), Vec::new());
        while !self.accept("}") {
            if self.accept("fn") {
                methods.push(Arc::new(self.function(!is_interface)?));
            } else {
                self.expect("var")?;
                fields.push(self.typed()?);
                self.expect(";")?;
            }
        }
        Ok(Declared { name, is_interface, supers, fields, methods })
    }

    fn typed(&mut self) -> Result<(String, Type)> {
        let name = self.name()?;
        self.expect(":")?;
        Ok((name, self.ty()?))
    }

    fn ty(&mut self) -> Result<Type> {
        let name = self.name()?;
        Ok(if name == "int" { Type::Int } else { Type::Object(name) })
    }

    fn function(&mut self, has_body: bool) -> Result<Function> {
        let name = self.name()?;
        self.expect("(")?;
        let parameters = self.list(")", Self::typed)?;
        let result = if self.accept(":") { self.ty()? } else { Type::Int };
        let body = if has_body { self.block()? } else { Vec::new() };
        if !has_body {
            self.expect(";")?;
        }
        Ok(Function { name, parameters, result, body })
    }

    fn block(&mut self) -> Result<Vec<Stmt>> {
        self.expect("{")?;
        let mut body = Vec::new();
        while !self.accept("}") {
            body.push(self.statement()?);
        }
        Ok(body)
    }

    fn statement(&mut self) -> Result<Stmt> {
        let simple = match self.peek() {
            "if" => return self.branch(),
            "while" => {
                self.next()?;
                return Ok(Stmt::While(self.condition()?, self.block()?));
            }
            "try" => return self.catching(),
            "var" => self.variable()?,
            "return" => Stmt::Return(self.after_word()?),
            "throw" => Stmt::Throw(self.after_word()?),
            "print" => Stmt::Print(self.after_word()?),
            _ => {
                let expr = self.expr(0)?;
                if self.accept("=") { Stmt::Assign(expr, self.expr(0)?) } else { Stmt::Expr(expr) }
            }
        };
        self.expect(";")?;
        Ok(simple)
    }

    fn after_word(&mut self) -> Result<Expr> {
        self.next()?;
        self.expr(0)
    }

    fn condition(&mut self) -> Result<Expr> {
        self.expect("(")?;
        let expr = self.expr(0)?;
        self.expect(")")?;
        Ok(expr)
    }

    fn branch(&mut self) -> Result<Stmt> {
        self.expect("if")?;
        let (condition, then) = (self.condition()?, self.block()?);
        let otherwise = match (self.accept("else"), self.peek()) {
            (false, _) => Vec::new(),
            (true, "if") => vec![self.branch()?],
            (true, _) => self.block()?,
        };
        Ok(Stmt::If(condition, then, otherwise))
    }

    fn catching(&mut self) -> Result<Stmt> {
        self.expect("try")?;
        let body = self.block()?;
        self.expect("catch")?;
        self.expect("(")?;
        let variable = self.name()?;
        self.expect(":")?;
        let class = self.name()?;
        self.expect(")")?;
        Ok(Stmt::Try(body, Catch { variable, class, body: self.block()? }))
    }

    fn variable(&mut self) -> Result<Stmt> {
        self.expect("var")?;
        let name = self.name()?;
        let ty = if self.accept(":") { Some(self.ty()?) } else { None };
        self.expect("=")?;
        Ok(Stmt::Var(name, ty, self.expr(0)?))
    }

    fn expr(&mut self, level: usize) -> Result<Expr> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        let mut left = self.expr(level + 1)?;
        while let Some(operator) = operators.iter().find(|&&operator| operator == self.peek()) {
            self.next()?;
            left = Expr::Binary(operator, Box::new(left), Box::new(self.expr(level + 1)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr> {
        let boxed = |parser: &mut Self| parser.unary().map(Box::new);
        match self.peek() {
            "-" | "!" | "spawn" | "join" => match self.next()? {
                "-" => Ok(Expr::Negate(boxed(self)?)),
                "!" => Ok(Expr::Binary("==", boxed(self)?, Box::new(Expr::Int(0)))),
                "spawn" => Ok(Expr::Spawn(boxed(self)?)),
                _ => Ok(Expr::Join(boxed(self)?)),
            },
            _ => self.postfix(),
        }
    }

    fn postfix(&mut self) -> Result<Expr> {
        let mut expr = self.primary()?;
        while self.accept(".") {
            let name = self.name()?;
            expr = if self.accept("(") {
                Expr::Send(Box::new(expr), name, self.arguments()?)
            } else {
                Expr::Field(Box::new(expr), name)
            };
        }
        Ok(expr)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>> {
        self.list(")", |parser| parser.expr(0))
    }

    fn primary(&mut self) -> Result<Expr> {
        if self.peek() == "(" {
            return self.condition();
        }
        if self.peek().starts_with(|c: char| c.is_ascii_digit()) {
            let digits = self.next()?;
            return digits.parse().map(Expr::Int).map_err(|error| format!("{digits}: {error}"));
        }
        let name = self.name()?;
        match &*name {
            "null" => Ok(Expr::Null),
            "this" => Ok(Expr::This),
            "new" => {
                let class = self.name()?;
                self.expect("(")?;
                Ok(Expr::New(class, self.arguments()?))
            }
            _ if self.accept("(") => Ok(Expr::Call(name, self.arguments()?)),
            _ => Ok(Expr::Name(name)),
        }
    }
}
