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
//! What a class extends is declared before it. What has no type gives an `int`.

use std::collections::HashSet;
use std::sync::Arc;

type Result<T> = std::result::Result<T, String>;

/// `int`, the name of a class or an interface, or `null`, which goes wherever an object does.
pub(crate) type Type = String;

#[derive(Debug)]
pub(crate) enum Expr {
    Int(i64),
    Null,
    /// A variable's value; methods have one called `this`.
    Name(String),
    Field(Box<Expr>, String),
    Binary(&'static str, Box<Expr>, Box<Expr>),
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
    /// To a variable or a field.
    Assign(Expr, Expr),
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
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) classes: Vec<Declared>,
    pub(crate) functions: Vec<Arc<Function>>,
}

/// Operators by how tightly they bind, the loosest first; of two that begin alike, the longer one first.
const BINARY: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

struct Parser<'a> {
    /// With their lines, the next one last.
    tokens: Vec<(&'a str, usize)>,
    line: usize,
    is_prelude: bool,
    /// What the function under way assigns to.
    assigned: HashSet<String>,
}

/// The tree of a source text. In the prelude's, `/` and `%` are the processor's; elsewhere, they are
/// functions of the prelude.
pub(crate) fn parse(text: &str, is_prelude: bool) -> Result<Tree> {
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split_once("//").map_or(line, |(code, _)| code);
        split(line, |token| tokens.push((token, number + 1)));
    }
    tokens.reverse();
    let mut parser = Parser { tokens, line: 1, is_prelude, assigned: HashSet::new() };
    parser.tree().map_err(|what| format!("line {}: {what}", parser.line))
}

fn split<'a>(mut line: &'a str, mut found: impl FnMut(&'a str)) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    loop {
        line = line.trim_start();
        let Some(first) = line.chars().next() else { return };
        let len = match BINARY.concat().iter().find(|operator| line.starts_with(**operator)) {
            Some(operator) => operator.len(),
            None if is_word(first) => line.find(|c| !is_word(c)).unwrap_or(line.len()),
            None => first.len_utf8(),
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
        self.peek() == token && self.next().is_ok()
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
                "fn" => tree.functions.push(self.function(true)?),
                word @ ("class" | "interface") => tree.classes.push(self.declared(word)?),
                other => return Err(format!("a declaration expected, not {other}")),
            }
        }
        Ok(tree)
    }

    fn declared(&mut self, word: &str) -> Result<Declared> {
        let (name, is_interface) = (self.name()?, word == "interface");
        if ["int", "null"].contains(&&*name) {
            return Err(format!("{name} is no name for a type of your own"));
        }
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

    fn typed(&mut self) -> Result<(String, Type)> {
        let name = self.name()?;
        self.expect(":")?;
        Ok((name, self.name()?))
    }

    fn function(&mut self, has_body: bool) -> Result<Arc<Function>> {
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

    fn block(&mut self) -> Result<Vec<Stmt>> {
        self.expect("{")?;
        let mut body = Vec::new();
        while !self.accept("}") {
            body.push(self.statement()?);
        }
        Ok(body)
    }

    fn statement(&mut self) -> Result<Stmt> {
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
                Stmt::Var(name, ty, self.expr()?)
            }
            "return" => Stmt::Return(self.expr()?),
            _ => Stmt::Expr(Expr::Native(word.into(), Box::new(self.expr()?))),
        };
        self.expect(";")?;
        Ok(statement)
    }

    /// An expression, or an assignment to a variable or a field.
    fn simple(&mut self) -> Result<Stmt> {
        let expr = self.expr()?;
        let statement = match expr {
            expr if !self.accept("=") => Stmt::Expr(expr),
            Expr::Field(..) => Stmt::Assign(expr, self.expr()?),
            Expr::Name(name) if name != "this" => {
                self.assigned.insert(name.clone());
                Stmt::Assign(Expr::Name(name), self.expr()?)
            }
            _ => return Err("only variables and fields can be assigned to".into()),
        };
        self.expect(";")?;
        Ok(statement)
    }

    fn condition(&mut self) -> Result<Expr> {
        self.expect("(")?;
        let expr = self.expr()?;
        self.expect(")")?;
        Ok(expr)
    }

    fn branch(&mut self) -> Result<Stmt> {
        let (condition, then) = (self.condition()?, self.block()?);
        let otherwise = match (self.accept("else"), self.peek()) {
            (false, _) => Vec::new(),
            (true, "if") => vec![self.statement()?],
            (true, _) => self.block()?,
        };
        Ok(Stmt::If(condition, then, otherwise))
    }

    fn catching(&mut self) -> Result<Stmt> {
        let body = self.block()?;
        self.expect("catch")?;
        self.expect("(")?;
        let variable = self.typed()?;
        self.expect(")")?;
        Ok(Stmt::Try(body, variable, self.block()?))
    }

    fn expr(&mut self) -> Result<Expr> {
        self.binary(0)
    }

    /// Operators of this level, and those that bind more tightly.
    fn binary(&mut self, level: usize) -> Result<Expr> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|&&operator| operator == self.peek()) {
            self.next()?;
            let right = self.binary(level + 1)?;
            left = match *operator {
                "/" if !self.is_prelude => Expr::Call("quotient".into(), vec![left, right]),
                "%" if !self.is_prelude => Expr::Call("remainder".into(), vec![left, right]),
                operator => Expr::Binary(operator, Box::new(left), Box::new(right)),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr> {
        let word = self.peek();
        if !matches!(word, "-" | "!" | "spawn" | "join") {
            return self.postfix();
        }
        self.next()?;
        let (zero, operand) = (Box::new(Expr::Int(0)), Box::new(self.unary()?));
        Ok(match word {
            "-" => Expr::Binary("-", zero, operand),
            "!" => Expr::Binary("==", operand, zero),
            _ => Expr::Native(word.into(), operand),
        })
    }

    fn postfix(&mut self) -> Result<Expr> {
        let mut expr = self.primary()?;
        while self.accept(".") {
            let (object, name) = (Box::new(expr), self.name()?);
            expr = match self.accept("(") {
                true => Expr::Send(object, name, self.list(")", Self::expr)?),
                false => Expr::Field(object, name),
            };
        }
        Ok(expr)
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
        Ok(match &*name {
            "null" => Expr::Null,
            "new" => {
                let class = self.name()?;
                self.expect("(")?;
                Expr::New(class, self.list(")", Self::expr)?)
            }
            _ if self.accept("(") => Expr::Call(name, self.list(")", Self::expr)?),
            _ => Expr::Name(name),
        })
    }
}
