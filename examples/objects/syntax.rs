//! The language: its tree, and from text to tree.
//!
//! ```text
//! interface Shape { fn area(): int; }
//! class Square : Base, Shape {            // one class at most, any number of interfaces
//!   var side: int;
//!   fn init(side: int) { this.side = side; }
//!   fn area(): int { return this.side * this.side; }
//! }
//! fn main() {
//!   try { print new Square(3).area(); } catch (e: NullError) { throw e; }
//!   var thread = spawn new Worker();      // runs its method `run`
//!   while (1 < 0 || !0) { print join thread; }
//! }
//! ```
//!
//! What a class extends is declared before it. What has no type gives an `int`. `&&` and `||` give the
//! side that decides.

use std::collections::HashSet;
use std::sync::Arc;

/// What reading or building a program gives; the error says what is wrong with it.
pub(crate) type Checked<T> = Result<T, String>;

/// `int`, the name of a class or an interface, or `null`, which goes wherever an object does.
pub(crate) type Type = String;

#[derive(Debug)]
pub(crate) enum Expr {
    Int(i64),
    Null,
    /// A variable's value; methods have one called `this`.
    Name(String),
    Field(Box<Expr>, String),
    Binary(&'static str, Box<[Expr; 2]>),
    /// Calls a function.
    Call(String, Vec<Expr>),
    /// Calls a method of the first expression's.
    Send(Box<Expr>, String, Vec<Expr>),
    New(String, Vec<Expr>),
    /// Makes an object of the class, which is loaded, and no more: `new` calls a function that does.
    Allocate,
    /// What the machine does with a value: `print`, `throw`, `spawn` or `join`.
    Native(String, Box<Expr>),
}

#[derive(Debug)]
pub(crate) enum Stmt {
    Var(String, Option<Type>, Expr),
    Set(String, Expr),
    /// Sets an object's field.
    SetField(Expr, String, Expr),
    Expr(Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Return(Expr),
    /// The body, the exception's variable and class, and what is done with it.
    Try(Vec<Stmt>, (String, Type), Vec<Stmt>),
}

/// A function or a method; one of an interface has no body.
#[derive(Debug, Default)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: Vec<(String, Type)>,
    pub(crate) result: Type,
    pub(crate) body: Vec<Stmt>,
    /// The variables that it assigns to.
    pub(crate) assigned: HashSet<String>,
}

/// A class or an interface.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) is_interface: bool,
    /// The class that it extends and the interfaces that it has, in any order.
    pub(crate) supers: Vec<String>,
    pub(crate) fields: Vec<(String, Type)>,
    pub(crate) methods: Vec<Arc<Function>>,
}

/// All that one source text declares.
pub(crate) type Tree = (Vec<Declared>, Vec<Arc<Function>>);

/// Operators by how tightly they bind, the loosest first; of two that begin alike, the longer one first.
const BINARY: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

struct Parser<'a> {
    /// With their lines, the next one last.
    tokens: Vec<(&'a str, usize)>,
    line: usize,
    /// What the function under way assigns to.
    assigned: HashSet<String>,
}

/// The tree of a source text.
pub(crate) fn parse(text: &str) -> Checked<Tree> {
    let mut parser = Parser { tokens: split(text), line: 1, assigned: HashSet::new() };
    parser.tree().map_err(|what| format!("line {}: {what}", parser.line))
}

/// The tokens of a text, with their lines, the first one last.
fn split(text: &str) -> Vec<(&str, usize)> {
    let (mut tokens, operators) = (Vec::new(), BINARY.concat());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (number, line) in (1..).zip(text.lines()) {
        let mut line = line.split_once("//").map_or(line, |(code, _)| code).trim_start();
        while let Some(first) = line.chars().next() {
            let len = match operators.iter().find(|operator| line.starts_with(**operator)) {
                Some(operator) => operator.len(),
                None if is_word(first) => line.find(|c| !is_word(c)).unwrap_or(line.len()),
                None => first.len_utf8(),
            };
            tokens.push((&line[..len], number));
            line = line[len..].trim_start();
        }
    }
    tokens.reverse();
    tokens
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.last().map_or("", |token| token.0)
    }

    fn next(&mut self) -> Checked<&'a str> {
        let token;
        (token, self.line) = self.tokens.pop().ok_or("the text ends too early")?;
        Ok(token)
    }

    fn accept(&mut self, token: &str) -> bool {
        self.peek() == token && self.next().is_ok()
    }

    fn expect(&mut self, wanted: &str) -> Checked<()> {
        let found = self.next()?;
        if found == wanted { Ok(()) } else { Err(format!("{wanted} expected, not {found}")) }
    }

    fn name(&mut self) -> Checked<String> {
        let token = self.next()?;
        let is_name = token.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if is_name { Ok(token.into()) } else { Err(format!("a name expected, not {token}")) }
    }

    /// Items up to `end`, with commas between.
    fn list<T>(&mut self, end: &str, item: impl Fn(&mut Self) -> Checked<T>) -> Checked<Vec<T>> {
        let mut items = Vec::new();
        while !self.accept(end) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn tree(&mut self) -> Checked<Tree> {
        let (mut classes, mut functions) = (Vec::new(), Vec::new());
        while !self.tokens.is_empty() {
            match self.next()? {
                "fn" => functions.push(self.function(true)?),
                word @ ("class" | "interface") => classes.push(self.declared(word)?),
                other => return Err(format!("a declaration expected, not {other}")),
            }
        }
        Ok((classes, functions))
    }

    fn declared(&mut self, word: &str) -> Checked<Declared> {
        let (name, is_interface) = (self.name()?, word == "interface");
        let has_supers = !is_interface && self.accept(":");
        let supers = if has_supers { self.list("{", Self::name)? } else { Vec::new() };
        if supers.is_empty() {
            self.expect("{")?;
        }
        let (mut fields, mut methods) = (Vec::new(), Vec::new());
        while !self.accept("}") {
            if is_interface || self.peek() == "fn" {
                self.expect("fn")?;
                methods.push(self.function(!is_interface)?);
            } else {
                self.expect("var")?;
                fields.push(self.typed()?);
                self.expect(";")?;
            }
        }
        Ok(Declared { name, is_interface, supers, fields, methods })
    }

    fn typed(&mut self) -> Checked<(String, Type)> {
        let name = self.name()?;
        self.expect(":")?;
        Ok((name, self.name()?))
    }

    fn function(&mut self, has_body: bool) -> Checked<Arc<Function>> {
        let name = self.name()?;
        self.expect("(")?;
        let parameters = self.list(")", Self::typed)?;
        let result = if self.accept(":") { self.name()? } else { "int".into() };
        let body = if has_body { self.block()? } else { Vec::new() };
        if !has_body {
            self.expect(";")?;
        }
        let assigned = std::mem::take(&mut self.assigned);
        Ok(Arc::new(Function { name, parameters, result, body, assigned }))
    }

    fn block(&mut self) -> Checked<Vec<Stmt>> {
        self.expect("{")?;
        let mut body = Vec::new();
        while !self.accept("}") {
            body.push(self.statement()?);
        }
        Ok(body)
    }

    fn statement(&mut self) -> Checked<Stmt> {
        let word = self.peek();
        if !matches!(word, "if" | "while" | "try" | "var" | "return" | "throw" | "print") {
            return self.simple();
        }
        self.next()?;
        let statement = match word {
            "if" => return self.branch(),
            "while" => return Ok(Stmt::While(self.condition()?, self.block()?)),
            "try" => return self.catching(),
            "var" => {
                let name = self.name()?;
                let ty = if self.accept(":") { Some(self.name()?) } else { None };
                self.expect("=")?;
                Stmt::Var(name, ty, self.expr(0)?)
            }
            "return" => Stmt::Return(self.expr(0)?),
            _ => Stmt::Expr(Expr::Native(word.into(), Box::new(self.expr(0)?))),
        };
        self.expect(";")?;
        Ok(statement)
    }

    /// An expression, or an assignment to a variable or a field.
    fn simple(&mut self) -> Checked<Stmt> {
        let expr = self.expr(0)?;
        let statement = match expr {
            expr if !self.accept("=") => Stmt::Expr(expr),
            Expr::Field(object, name) => Stmt::SetField(*object, name, self.expr(0)?),
            Expr::Name(name) if name != "this" => {
                self.assigned.insert(name.clone());
                Stmt::Set(name, self.expr(0)?)
            }
            _ => return Err("only variables and fields can be assigned to".into()),
        };
        self.expect(";")?;
        Ok(statement)
    }

    fn condition(&mut self) -> Checked<Expr> {
        self.expect("(")?;
        let expr = self.expr(0)?;
        self.expect(")")?;
        Ok(expr)
    }

    fn branch(&mut self) -> Checked<Stmt> {
        let (condition, then) = (self.condition()?, self.block()?);
        let otherwise = match (self.accept("else"), self.peek()) {
            (false, _) => Vec::new(),
            (true, "if") => vec![self.statement()?],
            (true, _) => self.block()?,
        };
        Ok(Stmt::If(condition, then, otherwise))
    }

    fn catching(&mut self) -> Checked<Stmt> {
        let body = self.block()?;
        self.expect("catch")?;
        self.expect("(")?;
        let variable = self.typed()?;
        self.expect(")")?;
        Ok(Stmt::Try(body, variable, self.block()?))
    }

    /// Operators of this level, and those that bind more tightly.
    fn expr(&mut self, level: usize) -> Checked<Expr> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        let mut left = self.expr(level + 1)?;
        while let Some(operator) = operators.iter().find(|&&operator| operator == self.peek()) {
            self.next()?;
            let right = self.expr(level + 1)?;
            left = Expr::Binary(operator, Box::new([left, right]));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Checked<Expr> {
        let word = self.peek();
        if !matches!(word, "-" | "!" | "spawn" | "join") {
            return self.postfix();
        }
        self.next()?;
        let operand = self.unary()?;
        Ok(match word {
            "-" => Expr::Binary("-", Box::new([Expr::Int(0), operand])),
            "!" => Expr::Binary("==", Box::new([operand, Expr::Int(0)])),
            _ => Expr::Native(word.into(), Box::new(operand)),
        })
    }

    fn postfix(&mut self) -> Checked<Expr> {
        let mut expr = self.primary()?;
        while self.accept(".") {
            let (object, name) = (Box::new(expr), self.name()?);
            expr = match self.accept("(") {
                true => Expr::Send(object, name, self.list(")", |parser| parser.expr(0))?),
                false => Expr::Field(object, name),
            };
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Checked<Expr> {
        if self.peek() == "(" {
            return self.condition();
        }
        if self.peek().starts_with(|c: char| c.is_ascii_digit()) {
            let digits = self.next()?;
            return digits.parse().map(Expr::Int).map_err(|error| format!("{digits}: {error}"));
        }
        let name = self.name()?;
        Ok(match &*name {
            "null" => Expr::Null,
            "new" => {
                let class = self.name()?;
                self.expect("(")?;
                Expr::New(class, self.list(")", |parser| parser.expr(0))?)
            }
            _ if self.accept("(") => Expr::Call(name, self.list(")", |parser| parser.expr(0))?),
            _ => Expr::Name(name),
        })
    }
}
