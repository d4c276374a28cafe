//! The language as a tree.

use std::sync::Arc;

/// The type of a variable, a field or an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    Int,
    /// Of `null`: it goes wherever an object does.
    Null,
    /// An object of this class, or of a class that has this interface.
    Object(String),
}

#[derive(Debug)]
pub(crate) enum Expr {
    Int(i64),
    Null,
    This,
    Name(String),
    Field(Box<Expr>, String),
    Negate(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// A function.
    Call(String, Vec<Expr>),
    /// A method of the first expression's.
    Send(Box<Expr>, String, Vec<Expr>),
    New(String, Vec<Expr>),
    /// Starts a thread that runs the object's method `run`, which takes nothing and gives a number.
    Spawn(Box<Expr>),
    /// Waits for a thread's end; what its `run` gave.
    Join(Box<Expr>),
}

#[derive(Debug)]
pub(crate) enum Stmt {
    Var(String, Option<Type>, Expr),
    Assign(Expr, Expr),
    Expr(Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Return(Expr),
    Throw(Expr),
    Try(Vec<Stmt>, Catch),
    Print(Expr),
}

#[derive(Debug)]
pub(crate) struct Catch {
    pub(crate) variable: String,
    pub(crate) class: String,
    pub(crate) body: Vec<Stmt>,
}

/// A function or a method; one of an interface has no body.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: Vec<(String, Type)>,
    pub(crate) result: Type,
    pub(crate) body: Vec<Stmt>,
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
    pub(crate) types: Vec<Declared>,
    pub(crate) functions: Vec<Arc<Function>>,
}
